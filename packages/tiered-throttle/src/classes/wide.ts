import type { Grant, Interaction, SearchCriterion } from "@wardline/policy-types";

/** Modifiers that say what is not wanted, which narrows nothing. */
const NEGATIVE = new Set(["missing", "not", "not-in"]);

/** Kinds of parameters whose value leaves few resources. A token does not: a status or a code is shared by most of a table. */
const NARROWING = new Set<SearchCriterion["parameterType"]>(["date", "reference", "string", "uri"]);
const NAMING = new Set(["_id", "identifier"]);

/**
 * Does a search go over a whole table? It does not when it lies in a compartment or names a date, somebody or something;
 * nor when every clause of the grant keeps it to one patient.
 *
 * Does NOT weigh values: `date=ge1900` counts as a date.
 */
export function isWide({ compartment, search }: Interaction, grant: Grant | undefined): boolean {
  if (compartment !== undefined) return false;
  if (grant !== undefined && grant.clauses.length > 0 && grant.clauses.every((clause) => clause.compartment))
    return false;
  return !(search?.criteria ?? []).some(narrows);
}

function narrows({ parameter, parameterType, modifier, known, values }: SearchCriterion): boolean {
  if (!known || values.every((value) => value === "")) return false;
  if (modifier !== undefined && NEGATIVE.has(modifier)) return false;
  return NAMING.has(parameter) || NARROWING.has(parameterType);
}
