package conversation

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What a line does.
type action uint8

const (
	actSend    action = iota // words
	actRaw                   // text
	actExpect                // want; next line of a group may be received first if unordered
	actNothing               // nothing more arrives
	actClosed                // the server has closed the connection
	actCloses                // the peer closes it
	actProto                 // proto
)

// line is one line of a conversation.
type line struct {
	number    int
	source    string
	peer      string
	do        action
	words     []string // actSend
	text      string   // actRaw, and both directions of a WebSocket peer
	want      expectation
	unordered bool
	proto     int
	only      tags
}

// section is what stands between two titles.
type section struct {
	number int // of its title line
	title  string
	protos []int
	only   tags
	lines  []line
}

// tags say where a line holds.
type tags struct {
	since, before release // of Redis; 0: none
	redis         bool    // what Redis does where Fanfare deviates
	decision      string  // the deviation of Fanfare
	proto         int     // 0: every version
}

var (
	lineForm = regexp.MustCompile(`^([A-Z][0-9]*)(>>|>|<\*|<)(?: (.*))?$`)
	// A directive has its tags in front, for what follows it is not free text.
	directiveForm = regexp.MustCompile(`^([A-Z][0-9]*) (.+)$`)
)

// parseFile reads a file of conversations.
func parseFile(name string) ([]section, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parse(string(text))
}

func parse(text string) ([]section, error) {
	p := parser{protos: []int{2, 3}}
	for i, source := range strings.Split(text, "\n") {
		source = strings.TrimRight(source, " \t\r")
		if source == "" || source[0] == '#' {
			continue
		}
		if err := p.line(i+1, source); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return p.sections, nil
}

type parser struct {
	protos   []int // of the file
	sections []section
}

func (p *parser) line(number int, source string) error {
	if title, found := strings.CutPrefix(source, "== "); found {
		s := section{number: number, protos: p.protos}
		var err error
		s.only, s.title, err = parseTags(title)
		if err == nil && slices.ContainsFunc(p.sections, func(o section) bool { return o.title == s.title }) {
			err = fmt.Errorf("a second section is called %q", s.title)
		}
		p.sections = append(p.sections, s)
		return err
	}
	if proto, found := strings.CutPrefix(source, "proto "); found {
		return p.proto(proto)
	}
	if len(p.sections) == 0 {
		return errors.New("no section has begun")
	}
	l, err := parseLine(source)
	if err != nil {
		return err
	}
	l.number, l.source = number, source
	s := &p.sections[len(p.sections)-1]
	s.lines = append(s.lines, l)
	return nil
}

func (p *parser) proto(word string) error {
	protos, known := map[string][]int{"2": {2}, "3": {3}, "both": {2, 3}}[word]
	if !known {
		return fmt.Errorf("unknown protocol %q", word)
	}
	if len(p.sections) == 0 {
		p.protos = protos
		return nil
	}
	s := &p.sections[len(p.sections)-1]
	if len(s.lines) > 0 {
		return errors.New("proto stands before the lines of a section")
	}
	s.protos = protos
	return nil
}

func parseLine(source string) (line, error) {
	parts := lineForm.FindStringSubmatch(source)
	if parts == nil {
		return parseDirective(source)
	}
	l := line{peer: parts[1]}
	var rest string
	var err error
	if l.only, rest, err = parseTags(parts[3]); err != nil {
		return l, err
	}
	l.do = map[string]action{">": actSend, ">>": actRaw}[parts[2]]
	if parts[2][0] == '<' {
		l.do, l.unordered = actExpect, parts[2] == "<*"
	}
	if isWebSocket(l.peer) {
		l.text = rest
		return l, nil
	}
	switch l.do {
	case actSend:
		if l.words, err = words(rest); err == nil && len(l.words) == 0 {
			err = errors.New("no command")
		}
	case actRaw:
		var list []string
		list, err = words(rest)
		l.text = strings.Join(list, "")
	case actExpect:
		l.want, err = parseExpectation(rest)
	}
	return l, err
}

func parseDirective(source string) (line, error) {
	parts := directiveForm.FindStringSubmatch(source)
	if parts == nil {
		return line{}, fmt.Errorf("not a line of a conversation: %s", source)
	}
	only, rest, err := parseTags(parts[2])
	l := line{peer: parts[1], only: only}
	switch {
	case err != nil:
	case rest == "nothing":
		l.do = actNothing
	case rest == "closed":
		l.do = actClosed
	case rest == "closes":
		l.do = actCloses
	case rest == "proto 2" || rest == "proto 3":
		l.do, l.proto = actProto, int(rest[len(rest)-1]-'0')
	default:
		err = fmt.Errorf("unknown directive %q", rest)
	}
	return l, err
}

// isWebSocket tells which peers speak the WebSocket protocol.
func isWebSocket(peer string) bool { return peer[0] == 'W' }

// parseTags takes the tags off the front of a line.
func parseTags(s string) (tags, string, error) {
	var t tags
	for strings.HasPrefix(s, "@") {
		var tag string
		tag, s, _ = strings.Cut(s, " ")
		var err error
		switch {
		case strings.HasPrefix(tag, "@redis>="):
			t.since, err = parseRelease(tag[len("@redis>="):])
		case strings.HasPrefix(tag, "@redis<"):
			t.before, err = parseRelease(tag[len("@redis<"):])
		case tag == "@redis":
			t.redis = true
		case tag == "@proto2":
			t.proto = 2
		case tag == "@proto3":
			t.proto = 3
		case tag == "@fanfare":
			t.decision, s, _ = strings.Cut(s, " ")
			_, err = strconv.Atoi(t.decision)
		default:
			err = errors.New("unknown tag")
		}
		if err != nil {
			return t, s, fmt.Errorf("%s: %w", tag, err)
		}
	}
	return t, s, nil
}
