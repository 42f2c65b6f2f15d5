package ws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanfare/broker"
)

func TestWelcomeComesFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	p := r.dialRaw()
	want := regexp.MustCompile(`^\{"welcome":"[0-9A-Za-z]{22}","epoch":"` + r.broker.Epoch() + `","ping":25,"max":65536\}$`)
	if got := p.line(); !want.MatchString(got) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// verbTest is one conversation: what is sent in one frame, and all lines that
// come back.
type verbTest struct{ name, send, want string }

// names is a list of so many names, all the same.
func names(n int) string { return strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") }

// verbTests holds one conversation per rule.
func verbTests() []verbTest {
	long := strings.Repeat("x", 512)
	return []verbTest{
		{"sub is always answered", `{"sub":"a"}`, `{"subbed":"a"}`},
		{"sub with an id carries it", `{"sub":"a","id":7}`, `{"subbed":"a","id":7}`},
		{"0 is an id", `{"sub":"a","id":0}`, `{"subbed":"a","id":0}`},
		{"an id may be a string", `{"sub":"a","id":"x\"y"}`, `{"subbed":"a","id":"x\"y"}`},
		{"an id may have 64 bytes", `{"ping":1,"id":"` + long[:64] + `"}`, `{"pong":1,"id":"` + long[:64] + `"}`},
		{"a longer id is an error", `{"ping":1,"id":"` + long[:65] + `"}`, `{"err":400,"text":"` + faultID.text + `"}`},
		{"an object is no id", `{"sub":"a","id":{}}`, `{"err":400,"sub":"a","text":"` + faultID.text + `"}`},
		{"null is no id", `{"pub":"a","data":1,"id":null}`, `{"err":400,"pub":"a","text":"` + faultID.text + `"}`},
		{"a repeated sub is answered again", "{\"sub\":\"a\"}\n{\"sub\":\"a\"}", "{\"subbed\":\"a\"}\n{\"subbed\":\"a\"}"},
		{"an array sub is one request", `{"sub":["a","b"],"id":1}`, "{\"subbed\":\"a\",\"id\":1}\n{\"subbed\":\"b\",\"id\":1}"},
		{"one refused name of an array does not refuse the others", `{"sub":["a","","b"],"id":1}`,
			"{\"subbed\":\"a\",\"id\":1}\n{\"err\":400,\"sub\":\"\",\"text\":\"" + faultEmptyName.text + "\",\"id\":1}\n{\"subbed\":\"b\",\"id\":1}"},
		{"an empty array is an error", `{"sub":[]}`, `{"err":400,"text":"` + faultNames.text + `"}`},
		{"1000 names are one request", `{"unsub":[` + names(1000) + `],"id":1}`, `{"ok":1}`},
		{"1001 names are none to sub", `{"sub":[` + names(1001) + `],"id":1}`, `{"err":400,"text":"` + faultManyNames.text + `","id":1}`},
		{"nor to psub", `{"psub":[` + names(1001) + `]}`, `{"err":400,"text":"` + faultManyNames.text + `"}`},
		{"nor to unsub", `{"unsub":[` + names(1001) + `]}`, `{"err":400,"text":"` + faultManyNames.text + `"}`},
		{"nor to punsub", `{"punsub":[` + names(1001) + `]}`, `{"err":400,"text":"` + faultManyNames.text + `"}`},
		{"an array of other things is an error", `{"sub":["a",1]}`, `{"err":400,"text":"` + faultNames.text + `"}`},
		{"a number is no channel", `{"sub":1}`, `{"err":400,"text":"` + faultNames.text + `"}`},
		{"psub is always answered", `{"psub":"a*"}`, `{"psubbed":"a*"}`},
		{"sub of a name with a star is that name", `{"sub":"a*"}`, `{"subbed":"a*"}`},
		{"unsub of what is held is acknowledged", "{\"sub\":\"a\"}\n{\"unsub\":\"a\"}", "{\"subbed\":\"a\"}\n{\"unsubbed\":\"a\"}"},
		{"its acknowledgement carries the id", "{\"psub\":\"a\"}\n{\"punsub\":\"a\",\"id\":2}", "{\"psubbed\":\"a\"}\n{\"punsubbed\":\"a\",\"id\":2}"},
		{"unsub of nothing is ok with an id", `{"unsub":"a","id":3}`, `{"ok":3}`},
		{"unsub of nothing is silent without", `{"unsub":"a"}`, ""},
		{"punsub of nothing is ok with an id", `{"punsub":["a","b"],"id":3}`, `{"ok":3}`},
		{"unsub of some acknowledges those", "{\"sub\":\"a\"}\n{\"unsub\":[\"b\",\"a\",\"a\"],\"id\":1}", "{\"subbed\":\"a\"}\n{\"unsubbed\":\"a\",\"id\":1}"},
		{"sub and psub of one name are two", "{\"psub\":\"a\"}\n{\"unsub\":\"a\",\"id\":1}", "{\"psubbed\":\"a\"}\n{\"ok\":1}"},
		{"an empty name is an error", `{"sub":""}`, `{"err":400,"sub":"","text":"` + faultEmptyName.text + `"}`},
		{"a name of 512 bytes is not", `{"sub":"` + long + `"}`, `{"subbed":"` + long + `"}`},
		{"a name of 513 bytes is an error", `{"sub":"x` + long + `"}`, `{"err":400,"sub":"x` + long + `","text":"` + faultNameLength.text + `"}`},
		{"a pattern of 513 bytes is an error", `{"psub":"x` + long + `","id":1}`,
			`{"err":400,"psub":"x` + long + `","text":"` + faultNameLength.text + `","id":1}`},
		{"control characters in a name are an error", `{"pub":"a\nb","data":1}`, `{"err":400,"pub":"a\nb","text":"` + faultControl.text + `"}`},
		{"an empty name cannot be unsubscribed", `{"unsub":""}`, `{"err":400,"unsub":"","text":"` + faultEmptyName.text + `"}`},
		{"names are escaped", `{"sub":"a\"\\\u00e9"}`, `{"subbed":"a\"\\é"}`},

		{"pub without an id is not answered", `{"pub":"a","data":1}`, ""},
		{"pub with an id is answered with the receivers", `{"pub":"a","data":1,"id":5}`, `{"ok":5,"receivers":0}`},
		{"ok precedes the own copy", "{\"sub\":\"a\"}\n{\"pub\":\"a\",\"data\":1,\"id\":5}",
			"{\"subbed\":\"a\"}\n{\"ok\":5,\"receivers\":1}\n{\"msg\":\"a\",\"data\":1,\"time\":0}"},
		{"echo false leaves out the own copy", "{\"sub\":\"a\"}\n{\"pub\":\"a\",\"data\":1,\"id\":5,\"echo\":false}",
			"{\"subbed\":\"a\"}\n{\"ok\":5,\"receivers\":0}"},
		{"echo true is the default", "{\"sub\":\"a\"}\n{\"pub\":\"a\",\"data\":1,\"echo\":true}", "{\"subbed\":\"a\"}\n{\"msg\":\"a\",\"data\":1,\"time\":0}"},
		{"echo is a boolean", `{"pub":"a","data":1,"echo":0}`, `{"err":400,"pub":"a","text":"` + faultEcho.text + `"}`},
		{"each matching subscription gets a copy", "{\"sub\":\"a\"}\n{\"psub\":[\"*\",\"a*\"]}\n{\"pub\":\"a\",\"data\":1,\"id\":5}",
			"{\"subbed\":\"a\"}\n{\"psubbed\":\"*\"}\n{\"psubbed\":\"a*\"}\n{\"ok\":5,\"receivers\":3}\n{\"msg\":\"a\",\"data\":1,\"time\":0}\n" +
				"{\"via\":\"*\",\"msg\":\"a\",\"data\":1,\"time\":0}\n{\"via\":\"a*\",\"msg\":\"a\",\"data\":1,\"time\":0}"},
		{"a pattern is escaped in via", "{\"psub\":\"\\\"*\"}\n{\"pub\":\"\\\"\",\"data\":1}", "{\"psubbed\":\"\\\"*\"}\n{\"via\":\"\\\"*\",\"msg\":\"\\\"\",\"data\":1,\"time\":0}"},
		{"pub without data is an error", `{"pub":"a","id":1}`, `{"err":400,"pub":"a","text":"` + faultNoData.text + `","id":1}`},
		{"pub with both data and b64 is one", `{"pub":"a","data":1,"b64":"","id":1}`, `{"err":400,"pub":"a","text":"` + faultTwoData.text + `","id":1}`},
		{"data may be null", "{\"sub\":\"a\"}\n{\"pub\":\"a\",\"data\":null}", "{\"subbed\":\"a\"}\n{\"msg\":\"a\",\"data\":null,\"time\":0}"},
		{"data is compacted", "{\"sub\":\"a\"}\n{ \"pub\" : \"a\" , \"data\" : { \"b\" : [ 1 , 2.0 ] } }", "{\"subbed\":\"a\"}\n{\"msg\":\"a\",\"data\":{\"b\":[1,2.0]},\"time\":0}"},
		{"data keeps its text", "{\"sub\":\"a\"}\n{\"pub\":\"a\",\"data\":[\"<&>\",12345678901234567890,1.0,{\"b\":1,\"a\":2},\"\\u00e9\"]}",
			"{\"subbed\":\"a\"}\n{\"msg\":\"a\",\"data\":[\"<&>\",12345678901234567890,1.0,{\"b\":1,\"a\":2},\"\\u00e9\"],\"time\":0}"},
		{"a string that is JSON stays a string", "{\"sub\":\"a\"}\n{\"pub\":\"a\",\"data\":\"{\\\"a\\\":1}\"}", "{\"subbed\":\"a\"}\n{\"msg\":\"a\",\"data\":\"{\\\"a\\\":1}\",\"time\":0}"},
		{"b64 is bytes: text", "{\"sub\":\"a\"}\n{\"pub\":\"a\",\"b64\":\"aGk=\"}", "{\"subbed\":\"a\"}\n{\"msg\":\"a\",\"data\":\"hi\",\"time\":0}"},
		{"b64 is bytes: binary", "{\"sub\":\"a\"}\n{\"pub\":\"a\",\"b64\":\"\\u002fwA=\"}", "{\"subbed\":\"a\"}\n{\"msg\":\"a\",\"b64\":\"/wA=\",\"time\":0}"},
		{"b64 may be empty", "{\"sub\":\"a\"}\n{\"pub\":\"a\",\"b64\":\"\"}", "{\"subbed\":\"a\"}\n{\"msg\":\"a\",\"data\":\"\",\"time\":0}"},
		{"b64 that is none is an error", `{"pub":"a","b64":"a"}`, `{"err":400,"pub":"a","text":"` + faultBase64.text + `"}`},
		{"b64 that is no string is one", `{"pub":"a","b64":1}`, `{"err":400,"pub":"a","text":"` + faultBase64.text + `"}`},
		{"pub takes one channel", `{"pub":["a"],"data":1,"id":1}`, `{"err":400,"text":"` + faultName.text + `","id":1}`},
		{"answers keep the order of the requests", "{\"pub\":\"a\",\"data\":1,\"id\":1}\n{\"pub\":\"\",\"data\":1,\"id\":2}\n{\"ping\":3}\n{\"pub\":\"a\",\"data\":1,\"id\":4}",
			"{\"ok\":1,\"receivers\":0}\n{\"err\":400,\"pub\":\"\",\"text\":\"" + faultEmptyName.text + "\",\"id\":2}\n{\"pong\":3}\n{\"ok\":4,\"receivers\":0}"},
		{"a message published before its sub does not come", "{\"pub\":\"a\",\"data\":1,\"id\":1}\n{\"sub\":\"a\"}", "{\"ok\":1,\"receivers\":0}\n{\"subbed\":\"a\"}"},
		{"a message published before its unsub comes", "{\"sub\":\"a\"}\n{\"pub\":\"a\",\"data\":1,\"id\":1}\n{\"unsub\":\"a\"}\n{\"pub\":\"a\",\"data\":2,\"id\":2}",
			"{\"subbed\":\"a\"}\n{\"ok\":1,\"receivers\":1}\n{\"msg\":\"a\",\"data\":1,\"time\":0}\n{\"unsubbed\":\"a\"}\n{\"ok\":2,\"receivers\":0}"},
		{"answers come in the order of the verbs", "{\"pub\":\"a\",\"data\":1,\"id\":1}\n{\"ping\":2}\n{\"pub\":\"a\",\"data\":1,\"id\":3}", "{\"ok\":1,\"receivers\":0}\n{\"pong\":2}\n{\"ok\":3,\"receivers\":0}"},

		{"ping is answered by pong", `{"ping":1}`, `{"pong":1}`},
		{"ping with an id carries it", `{"ping":"x","id":2}`, `{"pong":"x","id":2}`},
		{"ping of something large is an error", `{"ping":[1]}`, `{"err":400,"text":"` + faultPing.text + `"}`},
		{"a broker without auth ignores tokens", "{\"auth\":\"eyJ\"}\n{\"auth\":\"eyJ\",\"id\":1}", `{"ok":1}`},

		{"two verbs are an error", `{"sub":"a","pub":"b","data":1,"id":1}`, `{"err":400,"text":"` + faultTwoVerbs.text + `","id":1}`},
		{"a verb given twice too", `{"sub":"a","sub":"b"}`, `{"err":400,"text":"` + faultTwoVerbs.text + `"}`},
		{"no known verb is an error", `{"shout":"a","id":1}`, `{"err":400,"text":"` + faultNoVerb.text + `","id":1}`},
		{"an empty object too", `{}`, `{"err":400,"text":"` + faultNoVerb.text + `"}`},
		{"unknown keys are ignored", `{"ping":1,"x":{"sub":"a"},"y":[]}`, `{"pong":1}`},
		{"keys may be escaped", `{"\u0070ing":1}`, `{"pong":1}`},
		{"bad JSON in one line leaves the others", "{\"ping\":1}\n{\"ping\":\n{\"ping\":3}", "{\"pong\":1}\n{\"err\":400,\"text\":\"" + faultNotJSON.text + "\"}\n{\"pong\":3}"},
		{"other JSON than an object is an error", "1\n[]\n\"sub\"\nnull", strings.TrimSuffix(strings.Repeat("{\"err\":400,\"text\":\""+faultNotJSON.text+"\"}\n", 4), "\n")},
		{"an id in bad JSON is not believed", `{"ping":1,"id":1`, `{"err":400,"text":"` + faultNotJSON.text + `"}`},
		{"two objects on a line are an error", `{"ping":1}{"ping":2}`, `{"err":400,"text":"` + faultNotJSON.text + `"}`},
		{"blank lines are ignored", "\n \r\n{\"ping\":1}\r\n\n", `{"pong":1}`},
		{"an empty frame is ignored", "", ""},
	}
}

func TestVerbs(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, tt := range verbTests() {
		t.Run(tt.name, func(t *testing.T) {
			r := &rig{t: t, broker: r.broker, server: r.server, addr: r.addr}
			p := r.dial()
			// Tests share a broker; each has channels of its own only in time.
			defer func() { _ = p.ws.CloseNow(); r.awaitSessions(0) }()
			p.send(tt.send)
			if tt.want != "" {
				p.want(strings.Split(tt.want, "\n")...)
			}
			p.nothingMore()
		})
	}
}

func (r *rig) awaitSessions(n int) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%d sessions", n), func() bool { return r.broker.Stats().Sessions == n })
}

// Each verb of the table is the first key of a line that is answered, and not
// with an error.
func TestEveryVerbHasATest(t *testing.T) {
	t.Parallel()
	for verb := range commands {
		if !strings.Contains(faultNoVerb.text, verb) {
			t.Errorf("the error for an unknown verb does not name %s", verb)
		}
		if !slices.ContainsFunc(slices.Concat(verbTests(), rememberTests()), func(tt verbTest) bool { return tt.succeedsWith(verb) }) {
			t.Errorf("no test sends %s and gets an answer that is no error", verb)
		}
	}
	if got, want := len(commands), strings.Count(faultNoVerb.text, ",")+1; got != want {
		t.Errorf("got %d verbs, the error for an unknown verb names %d", got, want)
	}
}

func (v verbTest) succeedsWith(verb string) bool {
	if v.want == "" || strings.Contains(v.want, `"err":`) {
		return false
	}
	first := regexp.MustCompile(`(?m)^\{ *"` + regexp.QuoteMeta(verb) + `" *:`)
	return first.MatchString(v.send)
}

func TestThe129thSubscriptionIsRefusedAndTheConnectionStays(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	p := r.dial()
	var names, want []string
	for i := range 128 {
		names = append(names, fmt.Sprintf(`"c%d"`, i))
		want = append(want, fmt.Sprintf(`{"subbed":"c%d"}`, i))
	}
	p.send(`{"sub":[` + strings.Join(names, ",") + `]}`)
	p.want(want...)
	p.send(`{"sub":["c0","x","c1"],"id":1}`, `{"psub":"y"}`)
	p.want(`{"subbed":"c0","id":1}`, `{"err":429,"sub":"x","text":"too many subscriptions","id":1}`, `{"subbed":"c1","id":1}`,
		`{"err":429,"psub":"y","text":"too many subscriptions"}`)
	p.send(`{"unsub":"c0"}`, `{"sub":"x"}`)
	p.want(`{"unsubbed":"c0"}`, `{"subbed":"x"}`)
}

func TestThe11thPatternWithThreeStarsIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	p := r.dial()
	for i := range 10 {
		p.send(fmt.Sprintf(`{"psub":"*%d*a*"}`, i))
		p.want(fmt.Sprintf(`{"psubbed":"*%d*a*"}`, i))
	}
	p.send(`{"psub":["*x*y*","*x*y"],"id":1}`)
	p.want(`{"err":429,"psub":"*x*y*","text":"too many patterns with three or more stars","id":1}`, `{"psubbed":"*x*y","id":1}`)
}

func TestMessageOverTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.MaxMessage = 10 })
	p := r.dial()
	p.send(`{"pub":"a","data":"12345678","id":1}`, `{"pub":"a","data":"123456789","id":2}`)
	p.want(`{"ok":1,"receivers":0}`, `{"err":413,"pub":"a","text":"the message is too large","id":2}`)
}

func TestAccessIsAskedForEveryVerb(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, broker.Config{Access: func(_ broker.Identity, a broker.Action, name string) bool {
		return name == "open" && a != broker.ActionPattern
	}}, nil)
	p := r.dial()
	p.send(`{"sub":["open","shut"],"id":1}`, `{"psub":"open","id":2}`, `{"pub":"shut","data":1,"id":3}`, `{"pub":"open","data":1,"id":4}`)
	p.want(`{"subbed":"open","id":1}`, `{"err":403,"sub":"shut","text":"no permission","id":1}`,
		`{"err":403,"psub":"open","text":"no permission","id":2}`, `{"err":403,"pub":"shut","text":"no permission","id":3}`,
		`{"ok":4,"receivers":1}`, `{"msg":"open","data":1,"time":0}`)
}

func TestPayloadsFromTheOtherWorld(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	p := r.dial()
	p.send(`{"sub":"a"}`)
	p.want(`{"subbed":"a"}`)
	for payload, member := range map[string]string{
		"hi": `"data":"hi"`, "5": `"data":"5"`, "{\"a\":\n1}": `"data":{"a":1}`, "\xff": `"b64":"/w=="`, "a\nb": `"data":"a\nb"`,
	} {
		if got := r.publish("a", payload); got != 1 {
			t.Errorf("publish %q: %d receivers, want 1", payload, got)
		}
		p.want(`{"msg":"a",` + member + `,"time":0}`)
	}
}

func TestNamesThatJSONCannotSayAreNotCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	p := r.dial()
	p.send(`{"psub":"*"}`)
	p.want(`{"psubbed":"*"}`)
	for _, name := range []string{"\xff", "a\nb", "a\x7f", "a\u0085b"} {
		if got := r.publish(name, "x"); got != 0 {
			t.Errorf("publish to %q: %d receivers, want 0", name, got)
		}
	}
	if got := r.publish("é\u2028", "x"); got != 1 {
		t.Errorf("publish to a speakable name: %d receivers, want 1", got)
	}
	p.want("{\"via\":\"*\",\"msg\":\"é\u2028\",\"data\":\"x\",\"time\":0}")
}

func TestNothingComesAfterUnsubbed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	p := r.dial()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				r.publish("a", "x")
			}
		}
	}()
	own := strings.Repeat(`{"pub":"a","data":"own"}`+"\n", 100)
	for range 50 {
		p.send(`{"sub":"a"}`, own+`{"unsub":"a"}`, `{"ping":1}`)
		p.want(`{"subbed":"a"}`)
		seen, line := 0, p.line()
		for ; strings.HasPrefix(line, `{"msg"`); line = p.line() {
			if strings.Contains(line, `"own"`) {
				seen++
			}
		}
		if line != `{"unsubbed":"a"}` || seen != 100 {
			t.Fatalf("got %s after %d of 100 messages, want the acknowledgement after all", line, seen)
		}
		p.want(`{"pong":1}`)
	}
	close(stop)
	<-done
}

// TestEachOKPrecedesItsOwnCopy publishes one by one, so that the fan-out has
// every message while the connection still collects answers.
func TestEachOKPrecedesItsOwnCopy(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	p := r.dial()
	p.send(`{"sub":"a"}`)
	p.want(`{"subbed":"a"}`)
	const n = 1000
	lines := make([]string, 0, 2*n)
	for i := range n {
		lines = append(lines, fmt.Sprintf(`{"pub":"a","data":%d,"id":%d}`, i, i), `{"ping":"x"}`)
	}
	p.send(lines...)
	answered := 0
	for delivered := 0; delivered < n; {
		line := times.ReplaceAllString(p.line(), `"time":0`)
		switch line {
		case `{"pong":"x"}`:
		case fmt.Sprintf(`{"ok":%d,"receivers":1}`, answered):
			answered++
		case fmt.Sprintf(`{"msg":"a","data":%d,"time":0}`, delivered):
			if delivered++; delivered > answered {
				t.Fatalf("message %d before its ok", delivered-1)
			}
		default:
			t.Fatalf("after %d answers and %d messages: %s", answered, delivered, line)
		}
	}
}

func TestQueuedMessagesShareFrames(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	p := r.dial()
	p.send(`{"sub":"a"}`)
	p.want(`{"subbed":"a"}`)
	p.sizes = nil
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"pub":"a","data":%d}`, i)
	}
	p.send(lines...)
	for i := range lines {
		p.want(fmt.Sprintf(`{"msg":"a","data":%d,"time":0}`, i))
	}
	for _, n := range p.sizes {
		if n > frameMessages {
			t.Errorf("a frame of %d messages, want at most %d", n, frameMessages)
		}
	}
	if len(p.sizes) > len(lines)/4 {
		t.Errorf("%d messages came in %d frames, want far fewer", len(lines), len(p.sizes))
	}
}
