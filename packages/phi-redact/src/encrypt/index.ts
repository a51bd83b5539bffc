export {
  DATA_ABSENT_REASON,
  ENCRYPTED_FIELD,
  type FieldCipher,
  type FieldCiphertext,
  type FieldPlace,
} from "./field.ts";
