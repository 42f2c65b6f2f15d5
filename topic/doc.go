// Package topic owns channel names, the patterns that select them, and the
// index that answers which patterns select a given name.
//
// A [Pattern] is a glob in exactly the language of Redis' PSUBSCRIBE, KEYS and
// SCAN (stringmatchlen in its util.c), compiled once. It works on bytes:
//
//	?        any one byte (so two for "é")
//	*        any bytes, also none; runs of stars count as one
//	[abc]    one byte of the set; [^abc] one byte outside it; [a-z] ranges
//	\x       the byte x itself, inside a class too
//
// The corners that clones get wrong are part of the language and are kept:
//
//   - The empty name is matched by the empty pattern alone, not by "*".
//   - "[]abc]" begins with an empty class and matches nothing; "[^]" is any byte;
//     "[!a]" has '!' as a member, it does not negate.
//   - A class without its bracket runs to the end of the pattern.
//   - A range takes any third byte, ']' and '\' included, may be written
//     backwards, and compares bytes as signed, as Redis does on x86.
//   - A lone '\' at the end is a literal backslash.
//   - A pattern with more than 1,000 groups of stars before its last element
//     matches nothing (Redis' limit since CVE-2024-31228).
//
// An [Index] holds any number of patterns with a value each and hands out
// immutable [Snapshot] values. Finding the matches of a name costs in proportion
// to the name and its matches, not to the number of patterns; the exceptions are
// patterns with three or more groups of stars ([Pattern.Complex]) and more than
// 64 different classes at one place, which are checked one by one among those
// that share what precedes.
//
// The package imports the standard library only and starts no goroutine.
package topic
