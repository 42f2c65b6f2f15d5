package conversation

import (
	"bufio"
	"strings"
	"testing"
)

func read(wire string) (Value, error) { return ReadValue(bufio.NewReader(strings.NewReader(wire))) }

func TestReadValueShowsWhatCame(t *testing.T) {
	t.Parallel()
	for wire, want := range map[string]string{
		"+OK\r\n":                          "+OK",
		"+two words\r\n":                   `+"two words"`,
		"-ERR x\r\n":                       `-"ERR x"`,
		":-12\r\n":                         ":-12",
		"$3\r\nfoo\r\n":                    "foo",
		"$3\r\nnil\r\n":                    `"nil"`,
		"$1\r\n7\r\n":                      `"7"`,
		"$0\r\n\r\n":                       `""`,
		"$6\r\n\x00\xff\r\n\"\\\r\n":       `"\x00\xff\r\n\"\\"`,
		"$-1\r\n":                          "nil",
		"*-1\r\n":                          "nil[]",
		"_\r\n":                            "nil",
		"*0\r\n":                           "[]",
		"*2\r\n$1\r\na\r\n*1\r\n:1\r\n":    "[a [:1]]",
		">2\r\n+a\r\n:1\r\n":               ">[+a :1]",
		"~1\r\n$1\r\na\r\n":                "~[a]",
		"%1\r\n$1\r\na\r\n:1\r\n":          "%{a :1}",
		",3.5\r\n":                         ",3.5",
		"#t\r\n":                           "#t",
		"=8\r\ntxt:a b\n\r\n":              `=txt:"a b\n"`,
		"(123456789012345678901234567\r\n": "(123456789012345678901234567",
	} {
		if got, err := read(wire); err != nil || got.String() != want {
			t.Errorf("%q: got %s, %v; want %s", wire, got, err, want)
		}
	}
}

func TestReadValueRefusesWhatClientsMayForgive(t *testing.T) {
	t.Parallel()
	for _, wire := range []string{
		"+OK\n", "+OK", ":\r\n", ":1x\r\n", "$+1\r\na\r\n", "$01\r\na\r\n", "$-2\r\n", "$1\r\nab\r\n", "$5\r\nab",
		"*2\r\n:1\r\n", "~-1\r\n", "%-1\r\n", "#x\r\n", "_x\r\n", ",x\r\n", "!\r\n", "\r\n", "$99999999999\r\n",
	} {
		if got, err := read(wire); err == nil {
			t.Errorf("%q: got %s, want an error", wire, got)
		} else if isClosed(err) {
			t.Errorf("%q: taken for a closed connection: %v", wire, err)
		}
	}
}

func TestTheEndBetweenValuesIsAClosedConnection(t *testing.T) {
	t.Parallel()
	if _, err := read(""); !isClosed(err) {
		t.Errorf("got %v, want a closed connection", err)
	}
}

func TestQuoteIsReadBack(t *testing.T) {
	t.Parallel()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	got, rest, err := quoted(quote(string(all)))
	if got != string(all) || rest != "" || err != nil {
		t.Errorf("got %q, rest %q, %v", got, rest, err)
	}
}
