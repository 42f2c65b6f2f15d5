package kv

import "strconv"

// ParseInt reads a signed 64-bit decimal number as Redis does for every integer
// argument and integer value: no sign but '-', no leading zero, no blank, no
// "-0". Anything else is ErrNotInteger.
func ParseInt(b []byte) (int64, error) {
	if len(b) == 0 || len(b) > len("-9223372036854775808") || !canonical(b) {
		return 0, ErrNotInteger
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, ErrNotInteger
	}
	return n, nil
}

// canonical refuses the spellings strconv takes and Redis does not.
func canonical(b []byte) bool {
	if b[0] == '-' {
		return len(b) > 1 && '1' <= b[1] && b[1] <= '9'
	}
	return '1' <= b[0] && b[0] <= '9' || len(b) == 1 && b[0] == '0'
}
