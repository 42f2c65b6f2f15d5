package conversation

import (
	"regexp"
	"strconv"
	"strings"
)

// matcher compares received values with expectations in one version of RESP.
type matcher struct {
	proto    int
	captured map[string]string // by name of the group; written by expressions, read as ${name}
}

// matches tells whether v is what e describes.
func (m *matcher) matches(e *expectation, v Value) bool {
	if e.kind == kindAny {
		return true
	}
	if e.kind == kindNull {
		return m.null(e, v)
	}
	if v.Null || v.Kind != m.onWire(e.kind) {
		return false
	}
	switch e.kind {
	case kindArray, kindPush, kindSet, kindMap:
		return m.elems(e, v.Elems)
	}
	return m.text(e, v.Text)
}

func (m *matcher) null(e *expectation, v Value) bool {
	if m.proto == 3 {
		return v.Kind == kindNull
	}
	kind := byte(kindBulk)
	if e.nullArray {
		kind = kindArray
	}
	return v.Null && v.Kind == kind
}

// onWire is the type that stands for a type of RESP3 in the version spoken.
func (m *matcher) onWire(kind byte) byte {
	if m.proto == 3 {
		return kind
	}
	switch kind {
	case kindPush, kindSet, kindMap:
		return kindArray
	case kindDouble, kindVerbatim, kindBig:
		return kindBulk
	case kindBoolean:
		return kindInteger
	}
	return kind
}

func (m *matcher) text(e *expectation, text string) bool {
	if e.kind == kindVerbatim && m.proto == 3 {
		body, found := strings.CutPrefix(text, "txt:")
		if !found {
			return false
		}
		text = body
	}
	if e.match != nil {
		return m.expression(e, text)
	}
	want, err := expand(e.text, m.captured)
	if err != nil {
		return false
	}
	if e.kind == kindBoolean && m.proto == 2 {
		want = map[string]string{"t": "1", "f": "0"}[want]
	}
	return want == text
}

func (m *matcher) expression(e *expectation, text string) bool {
	match, err := m.withCaptured(e.match)
	if err != nil {
		return false
	}
	groups := match.FindStringSubmatch(text)
	if groups == nil {
		return false
	}
	for i, name := range match.SubexpNames() {
		if name != "" {
			m.captured[name] = groups[i]
		}
	}
	return true
}

// withCaptured puts what was captured before into an expression that names it.
func (m *matcher) withCaptured(match *regexp.Regexp) (*regexp.Regexp, error) {
	source := match.String()
	if !strings.Contains(source, "${") {
		return match, nil
	}
	literal := make(map[string]string, len(m.captured))
	for name, text := range m.captured {
		literal[name] = regexp.QuoteMeta(text)
	}
	source, err := expand(source, literal)
	if err != nil {
		return nil, err
	}
	return regexp.Compile(source)
}

func (m *matcher) elems(e *expectation, got []Value) bool {
	if len(got) < len(e.elems) || len(got) > len(e.elems) && !e.more {
		return false
	}
	if e.unordered {
		return m.unordered(e, got)
	}
	for i := range e.elems {
		if !m.matches(&e.elems[i], got[i]) {
			return false
		}
	}
	return true
}

// unordered gives each expectation the first element (of a map: the first pair) that it matches and that
// no earlier one took.
func (m *matcher) unordered(e *expectation, got []Value) bool {
	width := 1
	if e.kind == kindMap {
		width = 2
	}
	taken := make([]bool, len(got))
	for i := 0; i < len(e.elems); i += width {
		found := false
		for j := 0; j+width <= len(got) && !found; j += width {
			if !taken[j] && m.run(e.elems[i:i+width], got[j:j+width]) {
				taken[j], found = true, true
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func (m *matcher) run(want []expectation, got []Value) bool {
	for i := range want {
		if !m.matches(&want[i], got[i]) {
			return false
		}
	}
	return true
}

// release is a version of Redis, 7.2.4 as 70204.
type release int

func parseRelease(s string) (release, error) {
	var r release
	parts := strings.SplitN(s, ".", 3)
	for i := range 3 {
		n := 0
		if i < len(parts) {
			var err error
			if n, err = strconv.Atoi(parts[i]); err != nil {
				return 0, err
			}
		}
		r = r*100 + release(n)
	}
	return r, nil
}
