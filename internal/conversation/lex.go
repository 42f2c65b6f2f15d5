package conversation

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxRepeat bounds what "x"*n may make, so that a typing error does not eat the machine.
const maxRepeat = 128 << 20

// words splits a line into the words of a command.
func words(line string) ([]string, error) {
	var list []string
	for {
		line = strings.TrimLeft(line, " ")
		if line == "" {
			return list, nil
		}
		word, rest, err := nextWord(line)
		if err != nil {
			return nil, err
		}
		if rest != "" && rest[0] != ' ' {
			return nil, fmt.Errorf("no space before %s", rest)
		}
		list, line = append(list, word), rest
	}
}

// nextWord takes one word off a line that does not begin with a space.
func nextWord(line string) (word, rest string, err error) {
	switch line[0] {
	case '"':
		return quoted(line)
	case '\'':
		word, rest, found := strings.Cut(line[1:], "'")
		if !found {
			return "", "", errors.New("single quotes are not closed")
		}
		return word, rest, nil
	}
	end := strings.IndexByte(line, ' ')
	if end < 0 {
		end = len(line)
	}
	return line[:end], line[end:], nil
}

// quoted takes a text between double quotes off a line, with the number of repetitions behind it.
func quoted(line string) (text, rest string, err error) {
	var b []byte
	i := 1
	for ; i < len(line) && line[i] != '"'; i++ {
		if line[i] != '\\' {
			b = append(b, line[i])
			continue
		}
		c, width, err := unescape(line[i:])
		if err != nil {
			return "", "", err
		}
		b = append(b, c)
		i += width - 1
	}
	if i >= len(line) {
		return "", "", errors.New("double quotes are not closed")
	}
	return repeated(string(b), line[i+1:])
}

// unescape reads the escape at the beginning of s.
func unescape(s string) (c byte, width int, err error) {
	if len(s) < 2 {
		return 0, 0, errors.New("nothing behind a backslash")
	}
	switch s[1] {
	case 'r':
		return '\r', 2, nil
	case 'n':
		return '\n', 2, nil
	case 't':
		return '\t', 2, nil
	case '"', '\\':
		return s[1], 2, nil
	case 'x':
		if len(s) >= 4 {
			if n, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
				return byte(n), 4, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("unknown escape in %s", s)
}

func repeated(text, rest string) (string, string, error) {
	if !strings.HasPrefix(rest, "*") {
		return text, rest, nil
	}
	end := 1
	for end < len(rest) && '0' <= rest[end] && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(rest[1:end])
	if err != nil || n*len(text) > maxRepeat {
		return "", "", fmt.Errorf("repetition %s", rest)
	}
	return strings.Repeat(text, n), rest[end:], nil
}

// expand replaces ${name} by the text captured under that name.
func expand(s string, captured map[string]string) (string, error) {
	var b strings.Builder
	for {
		head, tail, found := strings.Cut(s, "${")
		b.WriteString(head)
		if !found {
			return b.String(), nil
		}
		name, rest, found := strings.Cut(tail, "}")
		if !found {
			return "", errors.New("${ is not closed")
		}
		text, known := captured[name]
		if !known {
			return "", fmt.Errorf("nothing was captured as ${%s}", name)
		}
		b.WriteString(text)
		s = rest
	}
}
