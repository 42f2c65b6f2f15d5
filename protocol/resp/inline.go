package resp

import "bytes"

// splitWords splits an inline command into words as Redis does, and appends
// them to dst. Words are separated by blanks. In double quotes, \n \r \t \b \a
// and \xHH stand for bytes and a backslash before another character for that
// character; in single quotes only \' is special. A closing quote must be
// followed by a blank or the end of the line. A NUL ends the line. It reports
// false for quotes that do not fit.
//
// The words share one new buffer that is at most as long as the line.
func splitWords(dst [][]byte, line []byte) (words [][]byte, ok bool) {
	line, _, _ = bytes.Cut(line, []byte{0})
	s := wordScanner{rest: line, out: make([]byte, 0, len(line))}
	for {
		s.skipBlanks()
		if len(s.rest) == 0 {
			return dst, true
		}
		begin := len(s.out)
		if !s.word() {
			return nil, false
		}
		dst = append(dst, s.out[begin:len(s.out):len(s.out)])
	}
}

type wordScanner struct {
	rest []byte
	out  []byte
}

func (s *wordScanner) skipBlanks() {
	for len(s.rest) > 0 && isBlank(s.rest[0]) {
		s.rest = s.rest[1:]
	}
}

// take moves the scanner n bytes on and appends ch.
func (s *wordScanner) take(n int, ch byte) {
	s.out = append(s.out, ch)
	s.rest = s.rest[n:]
}

// word reads one word. A quote opens a quoted part anywhere in it.
func (s *wordScanner) word() bool {
	for len(s.rest) > 0 {
		switch ch := s.rest[0]; ch {
		case ' ', '\n', '\r', '\t':
			return true
		case '"', '\'':
			s.rest = s.rest[1:]
			return s.quoted(ch)
		default:
			s.take(1, ch)
		}
	}
	return true
}

// quoted reads up to the closing quote, which also ends the word.
func (s *wordScanner) quoted(quote byte) bool {
	for len(s.rest) > 0 {
		switch ch := s.rest[0]; {
		case ch == quote:
			s.rest = s.rest[1:]
			return len(s.rest) == 0 || isBlank(s.rest[0])
		case ch == '\\' && quote == '\'' && len(s.rest) > 1 && s.rest[1] == '\'':
			s.take(2, '\'')
		case ch == '\\' && quote == '"' && len(s.rest) > 1:
			s.escape()
		default:
			s.take(1, ch)
		}
	}
	return false
}

// escape reads a backslash and what belongs to it; at least one byte follows.
func (s *wordScanner) escape() {
	if len(s.rest) > 3 && s.rest[1] == 'x' {
		high, ok1 := hexDigit(s.rest[2])
		low, ok2 := hexDigit(s.rest[3])
		if ok1 && ok2 {
			s.take(4, high<<4|low)
			return
		}
	}
	ch := s.rest[1]
	switch ch {
	case 'n':
		ch = '\n'
	case 'r':
		ch = '\r'
	case 't':
		ch = '\t'
	case 'b':
		ch = '\b'
	case 'a':
		ch = '\a'
	}
	s.take(2, ch)
}

func hexDigit(ch byte) (byte, bool) {
	switch {
	case '0' <= ch && ch <= '9':
		return ch - '0', true
	case 'a' <= ch && ch <= 'f':
		return ch - 'a' + 10, true
	case 'A' <= ch && ch <= 'F':
		return ch - 'A' + 10, true
	}
	return 0, false
}

// isBlank is C's isspace.
func isBlank(ch byte) bool { return ch == ' ' || '\t' <= ch && ch <= '\r' }
