package conversation

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// wsPeer speaks the WebSocket protocol: JSON objects, several to a frame.
type wsPeer struct {
	conn     WebSocket
	frame    []string // objects received and not yet given out
	captured map[string]string
}

// object is one JSON object as it was received.
type object string

func (o object) String() string { return string(o) }

func connectWebSocket(dial func() (WebSocket, error), captured map[string]string) (*wsPeer, error) {
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	p := &wsPeer{conn: conn, captured: captured}
	got, err := p.receive()
	if err == nil && !names(got.String(), "welcome") {
		err = fmt.Errorf("got %s, want a welcome", got)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *wsPeer) close() { _ = p.conn.Close() }

func (p *wsPeer) send(l *line) error {
	text, err := expand(l.text, p.captured)
	if err != nil {
		return err
	}
	return p.conn.Send(text)
}

// serverPing says whether an object is the server's sign of life. The welcome
// names the interval of these by the same key.
func serverPing(text string) bool { return names(text, "ping") && !names(text, "welcome") }

// receive gives the next object that is neither the server's ping nor part of a fence.
func (p *wsPeer) receive() (fmt.Stringer, error) {
	for {
		text, err := p.read()
		if err != nil || !serverPing(text) && !strings.Contains(text, fencePrefix) {
			return object(text), err
		}
	}
}

func (p *wsPeer) read() (string, error) {
	if len(p.frame) == 0 {
		frame, err := p.conn.Receive(time.Now().Add(patience))
		if err != nil {
			return "", err
		}
		p.frame = strings.Split(frame, "\n")
	}
	text := p.frame[0]
	p.frame = p.frame[1:]
	return text, nil
}

// names tells whether text is an object with this verb.
func names(text, verb string) bool {
	var fields map[string]any
	if json.Unmarshal([]byte(text), &fields) != nil {
		return false
	}
	_, found := fields[verb]
	return found
}

func (p *wsPeer) matches(l *line, got fmt.Stringer) bool {
	wantText, err := expand(l.text, p.captured)
	if err != nil {
		return false
	}
	want, err := decode(wantText)
	if err != nil {
		return false
	}
	have, err := decode(got.String())
	return err == nil && p.equal(want, have)
}

func decode(text string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// equal compares decoded JSON; a wanted string of the form /…/ is an expression.
func (p *wsPeer) equal(want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, isObject := got.(map[string]any)
		return isObject && maps.EqualFunc(want, have, p.equal)
	case []any:
		have, isArray := got.([]any)
		return isArray && slices.EqualFunc(want, have, p.equal)
	case string:
		if len(want) > 1 && want[0] == '/' && want[len(want)-1] == '/' {
			return p.expression(want[1:len(want)-1], got)
		}
	}
	return want == got
}

func (p *wsPeer) expression(source string, got any) bool {
	re, err := compile(source)
	switch got.(type) {
	case string, json.Number:
	default:
		return false
	}
	if err != nil {
		return false
	}
	m := matcher{captured: p.captured}
	return m.expression(&expectation{match: re}, fmt.Sprint(got))
}

// fence is respPeer's, in this protocol.
func (p *wsPeer) fence(r *runner) error {
	channel := r.nextFence()
	for _, step := range []struct{ request, verb string }{
		{`{"sub":%q}`, "subbed"}, {"", "msg"}, {`{"unsub":%q,"id":"` + fencePrefix + `"}`, "id"},
	} {
		if step.request == "" {
			if err := r.publish(channel); err != nil {
				return err
			}
		} else if err := p.conn.Send(fmt.Sprintf(step.request, channel)); err != nil {
			return err
		}
		if err := p.await(step.verb); err != nil {
			return err
		}
	}
	return nil
}

func (p *wsPeer) await(verb string) error {
	for {
		text, err := p.read()
		if err != nil {
			return err
		}
		switch {
		case strings.Contains(text, fencePrefix) && names(text, verb) && !names(text, "via"):
			return nil
		case !strings.Contains(text, fencePrefix) && !serverPing(text):
			return fmt.Errorf("got %s, want nothing more", text)
		}
	}
}
