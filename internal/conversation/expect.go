package conversation

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// expectation is what one line says about one value, in the types of RESP3.
type expectation struct {
	kind      byte // as Value's; kindAny for ?
	text      string
	match     *regexp.Regexp // instead of text
	nullArray bool
	elems     []expectation
	more      bool // further elements may follow
	unordered bool
}

const kindAny = '?'

// parseExpectation reads the whole of an expected line.
func parseExpectation(line string) (expectation, error) {
	line = strings.TrimSpace(line)
	if line == "" {
		return expectation{}, nil // of no kind: it matches nothing, and what came is reported
	}
	if line[0] == kindSimple || line[0] == kindError {
		if rest := line[1:]; rest == "" || rest[0] != '"' && rest[0] != '/' {
			return expectation{kind: line[0], text: rest}, nil
		}
	}
	p := expectParser{rest: line}
	e, err := p.value()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("unexpected text: %s", p.rest)
	}
	return e, err
}

// expectParser reads the notation from the left; rest is what is still to be read.
type expectParser struct{ rest string }

func (p *expectParser) accept(token string) bool {
	rest, found := strings.CutPrefix(p.rest, token)
	p.rest = rest
	return found
}

func (p *expectParser) value() (expectation, error) {
	switch {
	case p.accept("["):
		return p.elems(kindArray, "]")
	case p.accept(">["):
		return p.elems(kindPush, "]")
	case p.accept("~["):
		return p.elems(kindSet, "]")
	case p.accept("%{"):
		return p.elems(kindMap, "}")
	case p.accept("nil[]"):
		return expectation{kind: kindNull, nullArray: true}, nil
	case p.accept("="):
		return p.verbatim()
	}
	if p.rest == "" {
		return expectation{}, errors.New("a value is missing")
	}
	switch c := p.rest[0]; c {
	case kindSimple, kindError, kindInteger, kindDouble, kindBig, kindBoolean:
		p.rest = p.rest[1:]
		return p.text(c)
	case '"', '/':
		return p.text(kindBulk)
	}
	return p.bare()
}

// bare reads a word without quotes: a bulk string, nil or ?.
func (p *expectParser) bare() (expectation, error) {
	word := p.token()
	switch {
	case word == "nil":
		return expectation{kind: kindNull}, nil
	case word == "?":
		return expectation{kind: kindAny}, nil
	case isBare(strings.NewReplacer("${", "", "}", "").Replace(word)):
		return expectation{kind: kindBulk, text: word}, nil
	}
	return expectation{}, fmt.Errorf("unknown value %q", word)
}

// token takes everything up to a space or a closing bracket; the brackets of ${name} belong to it.
func (p *expectParser) token() string {
	end, inName := 0, false
	for ; end < len(p.rest); end++ {
		c := p.rest[end]
		if c == ' ' || c == ']' || c == '}' && !inName {
			break
		}
		inName = inName && c != '}' || strings.HasPrefix(p.rest[end:], "${")
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

// text reads the text of a scalar: quoted, an expression or a bare token.
func (p *expectParser) text(kind byte) (e expectation, err error) {
	e.kind = kind
	switch {
	case strings.HasPrefix(p.rest, `"`):
		e.text, p.rest, err = quoted(p.rest)
	case strings.HasPrefix(p.rest, "/"):
		e.match, err = p.expression()
	default:
		e.text = p.token()
	}
	return e, err
}

// expression reads /…/, in which \/ is a slash. It has to match the whole text.
func (p *expectParser) expression() (*regexp.Regexp, error) {
	for i := 1; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '/':
			source := p.rest[1:i]
			p.rest = p.rest[i+1:]
			return compile(source)
		}
	}
	return nil, errors.New("expression is not closed")
}

func compile(source string) (*regexp.Regexp, error) {
	return regexp.Compile(`(?s)\A(?:` + source + `)\z`)
}

func (p *expectParser) verbatim() (expectation, error) {
	format, _, found := strings.Cut(p.rest, ":")
	if !found || len(format) != 3 {
		return expectation{}, errors.New("a verbatim string begins with three letters and a colon")
	}
	p.rest = p.rest[len(format)+1:]
	e, err := p.text(kindVerbatim)
	if format != "txt" {
		return e, fmt.Errorf("unknown verbatim format %s", format)
	}
	return e, err
}

func (p *expectParser) elems(kind byte, end string) (expectation, error) {
	e := expectation{kind: kind}
	if strings.HasPrefix(p.rest, "* ") {
		p.rest, e.unordered = p.rest[1:], true
	}
	for {
		p.rest = strings.TrimLeft(p.rest, " ")
		if p.accept(end) {
			break
		}
		if p.accept("...") {
			e.more = true
			continue
		}
		if e.more {
			return e, errors.New("... is not the last element")
		}
		elem, err := p.value()
		if err != nil {
			return e, err
		}
		e.elems = append(e.elems, elem)
	}
	if kind == kindMap && len(e.elems)%2 != 0 {
		return e, errors.New("a map has a key without a value")
	}
	return e, nil
}
