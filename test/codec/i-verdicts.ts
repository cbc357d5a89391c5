import type { ErrorCode } from "../../src/base/error-table.ts";

/** What the scanner does where RFC 8259 leaves a choice (the `i_` files of JSONTestSuite), and why. */
export interface Choice {
  readonly verdict: ErrorCode | "accepted";
  readonly why: string;
}

const numbers: Choice = { verdict: "accepted", why: "numbers are never converted, so none is too large or too fine" };
const loneEscape: Choice = { verdict: "accepted", why: "a lone surrogate escape is ASCII; it passes as it came" };
const illFormed: Choice = { verdict: "json_encoding", why: "the bytes are not UTF-8 (RFC 3629)" };

export const iVerdicts: Readonly<Record<string, Choice>> = {
  "i_number_double_huge_neg_exp.json": numbers,
  "i_number_huge_exp.json": numbers,
  "i_number_neg_int_huge_exp.json": numbers,
  "i_number_pos_double_huge_exp.json": numbers,
  "i_number_real_neg_overflow.json": numbers,
  "i_number_real_pos_overflow.json": numbers,
  "i_number_real_underflow.json": numbers,
  "i_number_too_big_neg_int.json": numbers,
  "i_number_too_big_pos_int.json": numbers,
  "i_number_very_big_negative_int.json": numbers,
  "i_object_key_lone_2nd_surrogate.json": loneEscape,
  "i_string_1st_surrogate_but_2nd_missing.json": loneEscape,
  "i_string_1st_valid_surrogate_2nd_invalid.json": loneEscape,
  "i_string_incomplete_surrogate_and_escape_valid.json": loneEscape,
  "i_string_incomplete_surrogate_pair.json": loneEscape,
  "i_string_incomplete_surrogates_escape_valid.json": loneEscape,
  "i_string_invalid_lonely_surrogate.json": loneEscape,
  "i_string_invalid_surrogate.json": loneEscape,
  "i_string_inverted_surrogates_U+1D11E.json": loneEscape,
  "i_string_lone_second_surrogate.json": loneEscape,
  "i_string_UTF-16LE_with_BOM.json": illFormed,
  "i_string_UTF-8_invalid_sequence.json": illFormed,
  "i_string_UTF8_surrogate_U+D800.json": illFormed,
  "i_string_invalid_utf-8.json": illFormed,
  "i_string_iso_latin_1.json": illFormed,
  "i_string_lone_utf8_continuation_byte.json": illFormed,
  "i_string_not_in_unicode_range.json": illFormed,
  "i_string_overlong_sequence_2_bytes.json": illFormed,
  "i_string_overlong_sequence_6_bytes.json": illFormed,
  "i_string_overlong_sequence_6_bytes_null.json": illFormed,
  "i_string_truncated-utf-8.json": illFormed,
  "i_string_utf16BE_no_BOM.json": {
    verdict: "json_invalid",
    why: "a NUL byte is no JSON; encodings are never guessed",
  },
  "i_string_utf16LE_no_BOM.json": {
    verdict: "json_invalid",
    why: "a NUL byte is no JSON; encodings are never guessed",
  },
  "i_structure_500_nested_arrays.json": { verdict: "json_too_deep", why: "limits.depth is 128 by default" },
  "i_structure_UTF-8_BOM_empty_object.json": { verdict: "json_invalid", why: "a byte order mark is never skipped" },
};

/** `y_` files that hold a name twice in one object: valid JSON, refused here because two readers may read it differently. */
export const duplicateNameFiles: readonly string[] = [
  "y_object_duplicated_key.json",
  "y_object_duplicated_key_and_value.json",
];
