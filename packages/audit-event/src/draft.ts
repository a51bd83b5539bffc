/** A value that is still being put together, member by member, where spreading members into it would cost more than all else. */
export type Draft<Value> = { -readonly [Key in keyof Value]: Value[Key] };
