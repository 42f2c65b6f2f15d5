package conversation

import "testing"

func TestExpectations(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		line string
		wire string
		in2  bool // what RESP2 says to it
		in3  bool
	}{
		{"a simple string is not a bulk string", "+OK", "$2\r\nOK\r\n", false, false},
		{"a bulk string is not a simple string", "OK", "+OK\r\n", false, false},
		{"a number is not its text", ":1", "$1\r\n1\r\n", false, false},
		{"a text is not the number", `"1"`, ":1\r\n", false, false},
		{"a simple string", "+OK", "+OK\r\n", true, true},
		{"an error to the end of the line", "-ERR a [b] c", "-ERR a [b] c\r\n", true, true},
		{"an error inside an array", `[-"ERR a b" :1]`, "*2\r\n-ERR a b\r\n:1\r\n", true, true},
		{"the null of RESP2", "nil", "$-1\r\n", true, false},
		{"the null of RESP3", "nil", "_\r\n", false, true},
		{"the null array", "nil[]", "*-1\r\n", true, false},
		{"the null array is no null string", "nil[]", "$-1\r\n", false, false},
		{"the null string is no null array", "nil", "*-1\r\n", false, false},
		{"the null array in RESP3", "nil[]", "_\r\n", false, true},
		{"null is not empty", `""`, "$-1\r\n", false, false},
		{"null is no empty array", "[]", "*-1\r\n", false, false},
		{"a push is an array in RESP2", ">[a]", "*1\r\n$1\r\na\r\n", true, false},
		{"a push in RESP3", ">[a]", ">1\r\n$1\r\na\r\n", false, true},
		{"an array is no push", "[a]", ">1\r\n$1\r\na\r\n", false, false},
		{"a map is flat in RESP2", "%{a :1}", "*2\r\n$1\r\na\r\n:1\r\n", true, false},
		{"a map in RESP3", "%{a :1}", "%1\r\n$1\r\na\r\n:1\r\n", false, true},
		{"a set in RESP3", "~[a]", "~1\r\n$1\r\na\r\n", false, true},
		{"a double is text in RESP2", ",3.5", "$3\r\n3.5\r\n", true, false},
		{"a double in RESP3", ",3.5", ",3.5\r\n", false, true},
		{"a boolean is a number in RESP2", "#t", ":1\r\n", true, false},
		{"a boolean in RESP3", "#f", "#f\r\n", false, true},
		{"verbatim is text in RESP2", `=txt:"a"`, "$1\r\na\r\n", true, false},
		{"verbatim in RESP3", `=txt:"a"`, "=5\r\ntxt:a\r\n", false, true},
		{"verbatim of another format", `=txt:"a"`, "=5\r\nmkd:a\r\n", false, false},
		{"an element too many", "[a]", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", false, false},
		{"an element too few", "[a b]", "*1\r\n$1\r\na\r\n", false, false},
		{"more elements allowed", "[a ...]", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", true, true},
		{"order counts", "[a b]", "*2\r\n$1\r\nb\r\n$1\r\na\r\n", false, false},
		{"any order", "[* a b]", "*2\r\n$1\r\nb\r\n$1\r\na\r\n", true, true},
		{"any order is not any number", "[* a a]", "*2\r\n$1\r\nb\r\n$1\r\na\r\n", false, false},
		{"any order of pairs", "%{* a :1 b :2}", "%2\r\n$1\r\nb\r\n:2\r\n$1\r\na\r\n:1\r\n", false, true},
		{"pairs stay pairs", "%{* a :1 b :2}", "*4\r\n$1\r\na\r\n:2\r\n$1\r\nb\r\n:1\r\n", false, false},
		{"an expression matches the whole text", "/a+/", "$3\r\naab\r\n", false, false},
		{"an expression", "/a+b?/", "$3\r\naab\r\n", true, true},
		{"an expression keeps the type", "/a+/", "+aa\r\n", false, false},
		{"an expression of an error", "-/ERR .*/", "-ERR x\r\n", true, true},
		{"a dot is also a line break", "/a.b/", "$3\r\na\nb\r\n", true, true},
		{"a slash in an expression", `/a\/b/`, "$3\r\na/b\r\n", true, true},
		{"any value", "[? :1]", "*2\r\n*0\r\n:1\r\n", true, true},
		{"repetition", `"ab"*2`, "$4\r\nabab\r\n", true, true},
		{"nothing behind the arrow matches nothing", "", "+OK\r\n", false, false},
		{"what was captured", "${id}", "$2\r\n42\r\n", true, true},
		{"what was captured, in an expression", `/id=${id} .*/`, "$7\r\nid=42 x\r\n", true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e, err := parseExpectation(row.line)
			if err != nil {
				t.Fatal(err)
			}
			v, err := read(row.wire)
			if err != nil {
				t.Fatal(err)
			}
			for proto, want := range map[int]bool{2: row.in2, 3: row.in3} {
				m := matcher{proto: proto, captured: map[string]string{"id": "42"}}
				if got := m.matches(&e, v); got != want {
					t.Errorf("RESP%d: %s against %s: got %v, want %v", proto, row.line, v, got, want)
				}
			}
		})
	}
}

func TestAGroupWithANameIsKept(t *testing.T) {
	t.Parallel()
	e, err := parseExpectation(`[:/(?P<a>\d+)/ /x(?P<b>.)/]`)
	if err != nil {
		t.Fatal(err)
	}
	v, err := read("*2\r\n:12\r\n$2\r\nxy\r\n")
	if err != nil {
		t.Fatal(err)
	}
	m := matcher{proto: 3, captured: map[string]string{}}
	if !m.matches(&e, v) || m.captured["a"] != "12" || m.captured["b"] != "y" {
		t.Errorf("got %v", m.captured)
	}
}

func TestEveryPrintedValueIsAnExpectationOfItself(t *testing.T) {
	t.Parallel()
	for _, wire := range []string{
		"+a b\r\n", "-ERR\r\n", ":1\r\n", "$0\r\n\r\n", "_\r\n", "%1\r\n+a\r\n~0\r\n", ">1\r\n$2\r\n]}\r\n",
		"=6\r\ntxt:\r\n\r\n", ",1e+20\r\n", "#f\r\n", "*1\r\n-ERR a\r\n", "$3\r\n/x/\r\n", "+/x/\r\n",
	} {
		v, err := read(wire)
		if err != nil {
			t.Fatal(err)
		}
		e, err := parseExpectation(v.String())
		m := matcher{proto: 3, captured: map[string]string{}}
		if err != nil || !m.matches(&e, v) {
			t.Errorf("%s does not match itself: %v", v, err)
		}
	}
}
