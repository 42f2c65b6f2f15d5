package ws

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/broker"
)

// testRules are what channels remember in the tests.
var testRules = []broker.Rule{
	{Match: "room:*", History: broker.History{Size: 4, TTL: time.Hour}, Presence: true},
	{Match: "price:*", Retain: broker.RetainAll},
	{Match: "log:*", History: broker.History{Size: 4}, Retain: broker.RetainNever},
	{Match: "big:*", History: broker.History{Size: 10_000}},
	{Match: "view:*", Slow: broker.SlowConflate},
}

func newRememberingRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	return newRigOn(t, broker.Config{Rules: testRules}, change)
}

// rememberTests holds one conversation per rule, each with a broker of its own.
// EPOCH and SESSION stand for the broker's and the connection's.
func rememberTests() []verbTest {
	const four = "{\"pub\":\"room:1\",\"data\":1}\n{\"pub\":\"room:1\",\"data\":2}\n{\"pub\":\"room:1\",\"data\":3}\n{\"pub\":\"room:1\",\"data\":4}\n"
	key := strings.Repeat("k", 128)
	fault := func(f *fault, verb string) string {
		return fmt.Sprintf(`{"err":%d,%s"text":"%s","id":1}`, f.code, verb, f.text)
	}
	return []verbTest{
		{"offset is told where there is a history", `{"pub":"room:1","data":1,"id":1}` + "\n" + `{"sub":"room:1"}`,
			"{\"ok\":1,\"receivers\":0,\"offset\":1}\n{\"subbed\":\"room:1\",\"offset\":1}"},
		{"and not where there is none", "{\"pub\":\"price:1\",\"data\":1,\"id\":1}\n{\"sub\":\"price:1\",\"retained\":false}",
			"{\"ok\":1,\"receivers\":0}\n{\"subbed\":\"price:1\"}"},
		{"nor of a message that is kept out of it", "{\"sub\":\"room:1\"}\n{\"pub\":\"room:1\",\"data\":1,\"history\":false,\"id\":1}",
			"{\"subbed\":\"room:1\",\"offset\":0}\n{\"ok\":1,\"receivers\":1}\n{\"msg\":\"room:1\",\"data\":1,\"time\":0}"},
		{"a live message has its offset", "{\"sub\":\"room:1\"}\n{\"psub\":\"room:*\"}\n{\"pub\":\"room:1\",\"data\":1}",
			"{\"subbed\":\"room:1\",\"offset\":0}\n{\"psubbed\":\"room:*\",\"offset\":0}\n{\"msg\":\"room:1\",\"data\":1,\"time\":0,\"offset\":1}\n{\"via\":\"room:*\",\"msg\":\"room:1\",\"data\":1,\"time\":0,\"offset\":1}"},

		{"last replays the newest", four + `{"sub":"room:1","last":2,"id":1}`,
			"{\"subbed\":\"room:1\",\"offset\":4,\"id\":1}\n{\"msg\":\"room:1\",\"data\":3,\"time\":0,\"offset\":3}\n{\"msg\":\"room:1\",\"data\":4,\"time\":0,\"offset\":4}"},
		{"a repeated sub replays nothing", four + "{\"sub\":\"room:1\",\"last\":1}\n{\"sub\":\"room:1\",\"last\":2,\"epoch\":\"EPOCH\",\"offset\":1}",
			"{\"subbed\":\"room:1\",\"offset\":4}\n{\"msg\":\"room:1\",\"data\":4,\"time\":0,\"offset\":4}\n{\"subbed\":\"room:1\"}"},
		{"nor does the second of two equal names", four + `{"sub":["room:1","room:1"],"last":1}`,
			"{\"subbed\":\"room:1\",\"offset\":4}\n{\"msg\":\"room:1\",\"data\":4,\"time\":0,\"offset\":4}\n{\"subbed\":\"room:1\"}"},
		{"options are for each name of an array", four + "{\"pub\":\"room:2\",\"data\":5}\n" + `{"sub":["room:1","room:2"],"last":1}`,
			"{\"subbed\":\"room:1\",\"offset\":5}\n{\"msg\":\"room:1\",\"data\":4,\"time\":0,\"offset\":4}\n{\"subbed\":\"room:2\",\"offset\":5}\n{\"msg\":\"room:2\",\"data\":5,\"time\":0,\"offset\":5}"},
		{"a cursor brings what was missed", four + `{"sub":"room:1","epoch":"EPOCH","offset":2}`,
			"{\"subbed\":\"room:1\",\"offset\":4,\"recovered\":true,\"missed\":0}\n{\"msg\":\"room:1\",\"data\":3,\"time\":0,\"offset\":3}\n{\"msg\":\"room:1\",\"data\":4,\"time\":0,\"offset\":4}"},
		{"a cursor counts more than last", four + `{"sub":"room:1","epoch":"EPOCH","offset":3,"last":4}`,
			"{\"subbed\":\"room:1\",\"offset\":4,\"recovered\":true,\"missed\":0}\n{\"msg\":\"room:1\",\"data\":4,\"time\":0,\"offset\":4}"},
		{"what was trimmed is counted", four + "{\"pub\":\"room:1\",\"data\":5}\n{\"pub\":\"room:1\",\"data\":6}\n" + `{"sub":"room:1","epoch":"EPOCH","offset":1}`,
			"{\"subbed\":\"room:1\",\"offset\":6,\"recovered\":false,\"missed\":1}\n{\"msg\":\"room:1\",\"data\":3,\"time\":0,\"offset\":3}\n{\"msg\":\"room:1\",\"data\":4,\"time\":0,\"offset\":4}\n" +
				"{\"msg\":\"room:1\",\"data\":5,\"time\":0,\"offset\":5}\n{\"msg\":\"room:1\",\"data\":6,\"time\":0,\"offset\":6}"},
		{"another epoch is not recovered", four + `{"sub":"room:1","epoch":"k3f9","offset":4}`,
			"{\"subbed\":\"room:1\",\"offset\":4,\"recovered\":false,\"missed\":-1}\n{\"msg\":\"room:1\",\"data\":1,\"time\":0,\"offset\":1}\n{\"msg\":\"room:1\",\"data\":2,\"time\":0,\"offset\":2}\n" +
				"{\"msg\":\"room:1\",\"data\":3,\"time\":0,\"offset\":3}\n{\"msg\":\"room:1\",\"data\":4,\"time\":0,\"offset\":4}"},
		{"an offset beyond the head is not", `{"sub":"room:1","epoch":"EPOCH","offset":999}`, `{"subbed":"room:1","offset":0,"recovered":false,"missed":-1}`},
		{"a channel without history is not", `{"sub":"plain","epoch":"EPOCH","offset":0}`, `{"subbed":"plain","recovered":false,"missed":-1}`},
		{"a pattern is resumed in the order of the offsets", four + "{\"pub\":\"room:0\",\"data\":5}\n{\"pub\":\"room:1\",\"data\":6}\n" + `{"psub":"room:*","epoch":"EPOCH","offset":3,"id":1}`,
			"{\"psubbed\":\"room:*\",\"offset\":6,\"recovered\":true,\"missed\":0,\"id\":1}\n{\"via\":\"room:*\",\"msg\":\"room:1\",\"data\":4,\"time\":0,\"offset\":4}\n" +
				"{\"via\":\"room:*\",\"msg\":\"room:0\",\"data\":5,\"time\":0,\"offset\":5}\n{\"via\":\"room:*\",\"msg\":\"room:1\",\"data\":6,\"time\":0,\"offset\":6}"},
		{"last is not for patterns", `{"psub":"room:*","last":1,"id":1}`, fault(faultPatternLast, `"psub":"room:*",`)},
		{"who is not either", `{"psub":"room:*","who":true,"id":1}`, fault(faultPatternWho, `"psub":"room:*",`)},
		{"an offset needs its epoch", `{"sub":"room:1","offset":1,"id":1}`, fault(faultCursor, `"sub":"room:1",`)},
		{"an epoch needs its offset", `{"psub":"room:1","epoch":"x","id":1}`, fault(faultCursor, `"psub":"room:1",`)},
		{"last is a whole number", `{"sub":"room:1","last":1.5,"id":1}`, fault(faultLast, `"sub":"room:1",`)},
		{"of at least 1", `{"sub":"room:1","last":0,"id":1}`, fault(faultLast, `"sub":"room:1",`)},
		{"and at most a hundred thousand", "{\"sub\":\"room:1\",\"last\":100001,\"id\":1}\n{\"sub\":\"room:1\",\"last\":100000}", fault(faultLast, `"sub":"room:1",`) + "\n" + `{"subbed":"room:1","offset":0}`},
		{"an offset is not negative", `{"sub":"room:1","epoch":"x","offset":-1,"id":1}`, fault(faultOffset, `"sub":"room:1",`)},
		{"an epoch is a string", `{"sub":"room:1","epoch":1,"offset":1,"id":1}`, fault(faultEpoch, `"sub":"room:1",`)},

		{"a retained message comes behind subbed", "{\"pub\":\"room:1\",\"data\":1,\"retain\":true,\"id\":1}\n{\"sub\":\"room:1\"}",
			"{\"ok\":1,\"receivers\":0,\"offset\":1}\n{\"subbed\":\"room:1\",\"offset\":1}\n{\"msg\":\"room:1\",\"data\":1,\"time\":0,\"offset\":1,\"retained\":true}"},
		{"its live copy is like any other", "{\"sub\":\"room:1\"}\n{\"pub\":\"room:1\",\"data\":1,\"retain\":true}", "{\"subbed\":\"room:1\",\"offset\":0}\n{\"msg\":\"room:1\",\"data\":1,\"time\":0,\"offset\":1}"},
		{"a rule may retain all", "{\"pub\":\"price:1\",\"data\":1}\n{\"pub\":\"price:1\",\"data\":2}\n{\"sub\":\"price:1\"}", "{\"subbed\":\"price:1\"}\n{\"msg\":\"price:1\",\"data\":2,\"time\":0,\"retained\":true}"},
		{"retained false leaves it out", "{\"pub\":\"price:1\",\"data\":1}\n{\"sub\":\"price:1\",\"retained\":false}", `{"subbed":"price:1"}`},
		{"after last it comes if it is not among those", "{\"pub\":\"room:1\",\"data\":0,\"retain\":true}\n" + four + `{"sub":"room:1","last":1}`,
			"{\"subbed\":\"room:1\",\"offset\":5}\n{\"msg\":\"room:1\",\"data\":4,\"time\":0,\"offset\":5}\n{\"msg\":\"room:1\",\"data\":0,\"time\":0,\"offset\":1,\"retained\":true}"},
		{"and not if it is", four + "{\"pub\":\"room:1\",\"data\":5,\"retain\":true}\n" + `{"sub":"room:1","last":1}`,
			"{\"subbed\":\"room:1\",\"offset\":5}\n{\"msg\":\"room:1\",\"data\":5,\"time\":0,\"offset\":5}"},
		{"nor after a recovery", "{\"pub\":\"room:1\",\"data\":0,\"retain\":true}\n" + four + `{"sub":"room:1","epoch":"EPOCH","offset":5}`, `{"subbed":"room:1","offset":5,"recovered":true,"missed":0}`},
		{"a pattern gets those of its channels by name", "{\"pub\":\"price:b\",\"data\":1}\n{\"pub\":\"price:a\",\"data\":2}\n{\"psub\":\"price:*\"}",
			"{\"psubbed\":\"price:*\"}\n{\"via\":\"price:*\",\"msg\":\"price:a\",\"data\":2,\"time\":0,\"retained\":true}\n{\"via\":\"price:*\",\"msg\":\"price:b\",\"data\":1,\"time\":0,\"retained\":true}"},
		{"unretain removes it", "{\"pub\":\"price:1\",\"data\":1}\n{\"unretain\":\"price:1\",\"id\":2}\n{\"sub\":\"price:1\"}", "{\"ok\":2}\n{\"subbed\":\"price:1\"}"},
		{"of a channel that has none it is ok", "{\"unretain\":\"price:9\",\"id\":2}\n{\"unretain\":\"price:9\"}", `{"ok":2}`},
		{"unretain takes one channel", `{"unretain":["a"],"id":1}`, fault(faultName, "")},
		{"retain where no rule allows it is 404", `{"pub":"plain","data":1,"retain":true,"id":1}`, `{"err":404,"pub":"plain","text":"retained messages are disabled for this channel","id":1}`},
		{"and where a rule forbids it", `{"pub":"log:1","data":1,"retain":true}`, `{"err":404,"pub":"log:1","text":"retained messages are disabled for this channel"}`},
		{"errors keep their places among answers", "{\"pub\":\"plain\",\"data\":1,\"id\":1}\n{\"pub\":\"plain\",\"data\":1,\"retain\":true,\"id\":2}\n{\"pub\":\"plain\",\"data\":1,\"id\":3}",
			"{\"ok\":1,\"receivers\":0}\n{\"err\":404,\"pub\":\"plain\",\"text\":\"retained messages are disabled for this channel\",\"id\":2}\n{\"ok\":3,\"receivers\":0}"},
		{"retain is a boolean", `{"pub":"room:1","data":1,"retain":1,"id":1}`, fault(faultRetain, `"pub":"room:1",`)},
		{"retained too", `{"sub":"room:1","retained":null,"id":1}`, fault(faultRetained, `"sub":"room:1",`)},
		{"ttl may be a fraction", `{"pub":"room:1","data":1,"retain":true,"ttl":0.001,"id":1}`, `{"ok":1,"receivers":0,"offset":1}`},
		{"but not nothing", `{"pub":"room:1","data":1,"retain":true,"ttl":0.0001,"id":1}`, fault(faultTTL, `"pub":"room:1",`)},
		{"nor a text", `{"pub":"room:1","data":1,"retain":true,"ttl":"5","id":1}`, fault(faultTTL, `"pub":"room:1",`)},
		{"nor without bounds", `{"pub":"room:1","data":1,"retain":true,"ttl":1e300,"id":1}`, fault(faultTTL, `"pub":"room:1",`)},
		{"ttl without retain is an error", `{"pub":"room:1","data":1,"ttl":5,"id":1}`, fault(faultTTLAlone, `"pub":"room:1",`)},

		{"history is answered oldest first", four + `{"history":"room:1","limit":2,"id":1}`,
			`{"ok":1,"history":[{"data":3,"offset":3,"time":0},{"data":4,"offset":4,"time":0}],"epoch":"EPOCH"}`},
		{"before pages back", four + `{"history":"room:1","before":3,"id":1}`,
			`{"ok":1,"history":[{"data":1,"offset":1,"time":0},{"data":2,"offset":2,"time":0}],"epoch":"EPOCH"}`},
		{"an empty one is an empty array", `{"history":"room:1","id":1}`, `{"ok":1,"history":[],"epoch":"EPOCH"}`},
		{"bytes are b64 there too", "{\"pub\":\"room:1\",\"b64\":\"/w==\"}\n{\"history\":\"room:1\",\"id\":1}", `{"ok":1,"history":[{"b64":"/w==","offset":1,"time":0}],"epoch":"EPOCH"}`},
		{"history without a history is 404", `{"history":"plain","id":1}`, `{"err":404,"history":"plain","text":"history is not enabled for this channel","id":1}`},
		{"history needs an id", `{"history":"room:1"}`, `{"err":400,"history":"room:1","text":"` + faultNoID.text + `"}`},
		{"history is a channel, or true or false", `{"history":5,"id":1}`, fault(faultName, "")},
		{"limit is at most 1000", `{"history":"room:1","limit":1001,"id":1}`, fault(faultLimit, `"history":"room:1",`)},
		{"before is a number", `{"history":"room:1","before":"1","id":1}`, fault(faultBefore, `"history":"room:1",`)},
		{"nothing is before 0", four + `{"history":"room:1","before":0,"id":1}`, `{"ok":1,"history":[],"epoch":"EPOCH"}`},
		{"nor before 1", four + `{"history":"room:1","before":1,"id":1}`, `{"ok":1,"history":[],"epoch":"EPOCH"}`},
		{"an option alone is no verb", `{"history":false,"id":1}`, fault(faultNoVerb, "")},
		{"an option beside its own verb neither", `{"sub":"room:1","who":"room:1","id":1}`, fault(faultTwoVerbs, "")},

		{"a key is published once", "{\"sub\":\"room:1\"}\n{\"pub\":\"room:1\",\"data\":1,\"key\":\"a\",\"id\":1}\n{\"pub\":\"room:1\",\"data\":2,\"key\":\"a\",\"id\":2}\n{\"pub\":\"room:1\",\"data\":3,\"key\":\"b\",\"id\":3}",
			"{\"subbed\":\"room:1\",\"offset\":0}\n{\"ok\":1,\"receivers\":1,\"offset\":1}\n{\"ok\":2,\"receivers\":0,\"offset\":1}\n{\"ok\":3,\"receivers\":1,\"offset\":2}\n" +
				"{\"msg\":\"room:1\",\"data\":1,\"time\":0,\"offset\":1}\n{\"msg\":\"room:1\",\"data\":3,\"time\":0,\"offset\":2}"},
		{"a key may have 128 bytes", `{"pub":"room:1","data":1,"key":"` + key + `","id":1}`, `{"ok":1,"receivers":0,"offset":1}`},
		{"and no more", `{"pub":"room:1","data":1,"key":"k` + key + `","id":1}`, fault(faultKey, `"pub":"room:1",`)},
		{"and not none", `{"pub":"room:1","data":1,"key":"","id":1}`, fault(faultKey, `"pub":"room:1",`)},
		{"a key without a history is 404", `{"pub":"plain","data":1,"key":"a","id":1}`, `{"err":404,"pub":"plain","text":"history is not enabled for this channel","id":1}`},
		{"a key does not go with history false", `{"pub":"room:1","data":1,"key":"a","history":false,"id":1}`, fault(faultKeyAlone, `"pub":"room:1",`)},
		{"nobody publishes to the node's own channels", "{\"pub\":\"__presence__:room:1\",\"data\":1,\"id\":1}\n{\"pub\":\"__occupancy__:room:1\",\"data\":1}",
			"{\"err\":403,\"pub\":\"__presence__:room:1\",\"text\":\"the channel is reserved\",\"id\":1}\n{\"err\":403,\"pub\":\"__occupancy__:room:1\",\"text\":\"the channel is reserved\"}"},

		{"join and who", "{\"join\":\"room:1\",\"data\":{ \"a\": 1 },\"id\":1}\n{\"who\":\"room:1\",\"id\":2}", "{\"ok\":1}\n{\"ok\":2,\"who\":{\"SESSION\":{\"a\":1}}}"},
		{"who is there comes with subbed", "{\"join\":\"room:1\"}\n{\"sub\":\"room:1\",\"who\":true,\"id\":2}\n{\"sub\":\"room:1\",\"who\":true}",
			"{\"subbed\":\"room:1\",\"offset\":2,\"who\":{\"SESSION\":null},\"id\":2}\n{\"subbed\":\"room:1\",\"who\":{\"SESSION\":null}}"},
		{"without presence there is nothing to tell", `{"sub":"plain","who":true}`, `{"subbed":"plain"}`},
		{"the joiner sees its own events", "{\"sub\":\"room:1\"}\n{\"join\":\"room:1\",\"data\":1,\"id\":1}\n{\"join\":\"room:1\",\"data\":1}\n{\"join\":\"room:1\"}\n{\"join\":\"room:1\",\"data\":2}\n{\"leave\":\"room:1\",\"id\":2}\n{\"leave\":\"room:1\",\"id\":3}",
			"{\"subbed\":\"room:1\",\"offset\":0}\n{\"ok\":1}\n{\"ok\":2}\n{\"ok\":3}\n{\"joined\":\"room:1\",\"user\":\"SESSION\",\"data\":1}\n{\"updated\":\"room:1\",\"user\":\"SESSION\",\"data\":2}\n{\"left\":\"room:1\",\"user\":\"SESSION\"}"},
		{"patterns do not", "{\"psub\":\"room:*\"}\n{\"join\":\"room:1\"}", `{"psubbed":"room:*","offset":0}`},
		{"unsub does not leave", "{\"sub\":\"room:1\"}\n{\"join\":\"room:1\"}\n{\"unsub\":\"room:1\"}\n{\"who\":\"room:1\",\"id\":1}",
			"{\"subbed\":\"room:1\",\"offset\":0}\n{\"joined\":\"room:1\",\"user\":\"SESSION\"}\n{\"unsubbed\":\"room:1\"}\n{\"ok\":1,\"who\":{\"SESSION\":null}}"},
		{"join where no rule allows it is 404", `{"join":"price:1","id":1}`, `{"err":404,"join":"price:1","text":"presence is not enabled for this channel","id":1}`},
		{"leave there too", `{"leave":"price:1"}`, `{"err":404,"leave":"price:1","text":"presence is not enabled for this channel"}`},
		{"who there too", `{"who":"price:1","id":1}`, `{"err":404,"who":"price:1","text":"presence is not enabled for this channel","id":1}`},
		{"who needs an id", `{"who":"room:1"}`, `{"err":400,"who":"room:1","text":"` + faultNoID.text + `"}`},
		{"a member has little to say", `{"join":"room:1","data":"` + strings.Repeat("x", 4<<10) + `","id":1}`, fault(faultMember, `"join":"room:1",`)},
	}
}

func TestWhatChannelsRemember(t *testing.T) {
	t.Parallel()
	for _, tt := range rememberTests() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRememberingRig(t, nil)
			p := r.dial()
			text := strings.NewReplacer("EPOCH", r.broker.Epoch(), "SESSION", r.only().session.ID())
			p.send(text.Replace(tt.send))
			p.want(strings.Split(text.Replace(tt.want), "\n")...)
			p.nothingMore()
		})
	}
}

func TestAHistoryAnswerIsBounded(t *testing.T) {
	t.Parallel()
	r := newRememberingRig(t, nil)
	p := r.dial()
	for i := range 40 {
		r.publish("big:1", fmt.Sprintf("%02d", i)+strings.Repeat("x", 60_000-2))
	}
	before, seen := "", 0
	for more := true; more; {
		p.send(`{"history":"big:1","limit":1000,"id":1` + before + `}`)
		line := p.line()
		if len(line) > maxPage+10_000 {
			t.Fatalf("an answer of %d bytes, want about %d at most", len(line), maxPage)
		}
		more = strings.HasSuffix(line, `,"more":true}`)
		n := strings.Count(line, `"data":`)
		seen += n
		for i := range n {
			if want := fmt.Sprintf(`"data":"%02dx`, 40-seen+i); !strings.Contains(line, want) {
				t.Errorf("the answer that reaches back to message %d does not have %s", 40-seen, want)
			}
		}
		before = fmt.Sprintf(`,"before":%d`, 40-seen+1)
	}
	if seen != 40 {
		t.Errorf("got %d messages, want all 40", seen)
	}
}

func TestRetainedMessagesOfAPatternAreCutAt1000(t *testing.T) {
	t.Parallel()
	r := newRememberingRig(t, nil)
	for i := range 1000 {
		r.publish(fmt.Sprintf("price:%04d", i), "x")
	}
	p := r.dial()
	expect := func() {
		t.Helper()
		for i := range 1000 {
			p.want(fmt.Sprintf(`{"via":"price:*","msg":"price:%04d","data":"x","time":0,"retained":true}`, i))
		}
		p.nothingMore()
	}
	p.send(`{"psub":"price:*"}`)
	p.want(`{"psubbed":"price:*"}`)
	expect()
	r.publish("price:1000", "x")
	p.want(`{"via":"price:*","msg":"price:1000","data":"x","time":0}`)
	p.send(`{"punsub":"price:*"}`, `{"psub":"price:*","id":1}`)
	p.want(`{"punsubbed":"price:*"}`, `{"psubbed":"price:*","more":true,"id":1}`)
	expect()
}

func TestRetainedMessagesThatJSONCannotNameAreLeftOut(t *testing.T) {
	t.Parallel()
	r := newRememberingRig(t, nil)
	for _, name := range []string{"price:1", "price:a\nb", "price:\xff", "price:z"} {
		r.publish(name, "x")
	}
	p := r.dial()
	p.send(`{"psub":"price:*"}`)
	p.want(`{"psubbed":"price:*"}`, `{"via":"price:*","msg":"price:1","data":"x","time":0,"retained":true}`,
		`{"via":"price:*","msg":"price:z","data":"x","time":0,"retained":true}`)
	p.nothingMore()
}

// TestRightsOverWhatChannelsRemember holds which right each request asks for.
func TestRightsOverWhatChannelsRemember(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, broker.Config{Rules: testRules, Access: func(_ broker.Identity, a broker.Action, _ string) bool {
		return a == broker.ActionSubscribe || a == broker.ActionPattern
	}}, nil)
	p := r.dial()
	denied := func(verb string) string {
		return `{"err":403,"` + verb + `":"room:1","text":"no permission","id":1}`
	}
	for request, want := range map[string]string{
		`{"sub":"room:1","last":1,"id":1}`:                     denied("sub"),
		`{"sub":"room:1","epoch":"x","offset":1,"id":1}`:       denied("sub"),
		`{"sub":"room:1","who":true,"id":1}`:                   denied("sub"),
		`{"psub":"room:1","epoch":"x","offset":1,"id":1}`:      denied("psub"),
		`{"pub":"room:1","data":1,"retain":true,"id":1}`:       denied("pub"),
		`{"unretain":"room:1","id":1}`:                         denied("unretain"),
		`{"history":"room:1","id":1}`:                          denied("history"),
		`{"join":"room:1","id":1}`:                             denied("join"),
		`{"leave":"room:1","id":1}`:                            denied("leave"),
		`{"who":"room:1","id":1}`:                              denied("who"),
		`{"sub":["room:2"],"id":1}`:                            `{"subbed":"room:2","offset":0,"id":1}`,
		"{\"sub\":[\"room:3\",\"\"],\"retained\":true}":        "{\"subbed\":\"room:3\",\"offset\":0}\n{\"err\":400,\"sub\":\"\",\"text\":\"" + faultEmptyName.text + "\"}",
		"{\"psub\":\"room:*\",\"retained\":false,\"id\":\"\"}": `{"psubbed":"room:*","offset":0,"id":""}`,
	} {
		p.send(request)
		p.want(strings.Split(want, "\n")...)
	}
	p.nothingMore()
}

func TestOneRefusedNameOfAnArrayDoesNotStopTheReplayOfTheOthers(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, broker.Config{Rules: testRules, Access: func(_ broker.Identity, a broker.Action, name string) bool {
		return a == broker.ActionPublish || name != "room:2"
	}}, nil)
	p := r.dial()
	p.send(`{"pub":"room:1","data":1}`, `{"pub":"room:2","data":2}`, `{"pub":"room:3","data":3}`, `{"sub":["room:1","room:2","room:3"],"last":5,"id":1}`)
	p.want(`{"subbed":"room:1","offset":3,"id":1}`, `{"msg":"room:1","data":1,"time":0,"offset":1}`,
		`{"err":403,"sub":"room:2","text":"no permission","id":1}`,
		`{"subbed":"room:3","offset":3,"id":1}`, `{"msg":"room:3","data":3,"time":0,"offset":3}`)
	p.nothingMore()
}
