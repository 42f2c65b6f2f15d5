package ws

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"fanfare/protocol/payload"
)

func TestParsingAPublishDoesNotAllocate(t *testing.T) {
	line := []byte(`{"pub":"room:1","data":{"text":"hello","n":[1,2,3]},"id":17,"echo":false,"retain":true,"ttl":0.5,"history":false,"key":"k1"}`)
	var r request
	got := testing.AllocsPerRun(100, func() {
		if f := r.parse(line); f != nil {
			t.Fatal(f)
		}
	})
	if got != 0 {
		t.Errorf("allocations = %v, want 0", got)
	}
}

// FuzzRequest compares parse with encoding/json: what is an object there is one
// here, with the same members.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		`{"pub":"a","data":{"x":1},"id":1}`, ` { "sub" : [ "a" , "b" ] , "id" : "x" } `, `{"psub":"a"}x`, `{}`, `[]`, `{"a":1,}`,
		`{"sub":"a","last":20,"epoch":"k3f9","offset":18446744073709551615,"retained":false,"who":true}`, `{"who":"a","history":true}`,
		`{"pub":"a","data":1,"retain":true,"ttl":1e-3,"history":false,"key":"\u0061\n"}`, `{"history":"a","limit":1000,"before":0,"id":""}`,
		`{"psub":["a"],"epoch":"","offset":0}`, `{"join":"a","data":{ },"who":false}`, `{"pub":"a","key":"","ttl":-1,"ttl":1e999}`,
		`{"pub":"a","b64":"aGk=","echo":false}`, `{"id":{},"unsub":1}`, `{"\u0073ub":"a"}`, "{\"sub\":\"\xff\"}", `{"sub":[]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if !utf8.Valid(line) || bytes.IndexByte(line, '\n') >= 0 {
			return // refused, or divided, before
		}
		var r request
		fault := r.parse(line)
		var members map[string]json.RawMessage
		err := json.Unmarshal(line, &members)
		isObject := err == nil && members != nil
		if (fault == faultNotJSON) == isObject && !strings.Contains(string(line), strings.Repeat("[", 20)) &&
			!strings.Contains(string(line), strings.Repeat(`:{`, 20)) {
			t.Fatalf("parse(%q) = %v, encoding/json: %v", line, fault, err)
		}
		if fault != nil {
			return
		}
		checkMembers(t, &r, members)
	})
}

func checkMembers(t *testing.T, r *request, members map[string]json.RawMessage) {
	t.Helper()
	if !bytes.Equal(r.value, members[r.cmd.verb]) {
		t.Fatalf("%s = %q, want %q", r.cmd.verb, r.value, members[r.cmd.verb])
	}
	if !bytes.Equal(r.data, members["data"]) || !bytes.Equal(r.b64, members["b64"]) || !bytes.Equal(r.id, members["id"]) {
		t.Fatalf("data %q, b64 %q, id %q; want %s", r.data, r.b64, r.id, members)
	}
	checkOptions(t, r, members)
	names, ok := r.names(nil)
	var want []string
	var one *string
	switch {
	case json.Unmarshal(r.value, &one) == nil && one != nil:
		want = []string{*one}
	case r.value[0] == '[' && !bytes.Contains(r.value, []byte("null")):
		if json.Unmarshal(r.value, &want) != nil {
			want = nil
		}
	}
	if ok != (len(want) > 0) && !bytes.Contains(r.value, []byte("null")) {
		t.Fatalf("names of %q: %q, %v; want %q", r.value, names, ok, want)
	}
	for i := range want {
		if ok && names[i] != want[i] {
			t.Fatalf("names of %q: %q, want %q", r.value, names, want)
		}
	}
	for _, answer := range [][]byte{
		appendNamed(nil, "subbed", string(payload.Unquote([]byte(`"x"`))), r.id), appendFault(nil, faultNames, r.cmd.verb, "x", r.id),
	} {
		if !json.Valid(answer) || bytes.Count(answer, []byte{'\n'}) != 1 {
			t.Fatalf("answer %q is not one line of JSON", answer)
		}
	}
}

// checkOptions compares the options of a request that has no fault.
func checkOptions(t *testing.T, r *request, members map[string]json.RawMessage) {
	t.Helper()
	for name, got := range map[string]bool{
		"echo false": r.noEcho, "retained false": r.noRetained, "history false": r.noHistory, "retain true": r.retain, "who true": r.who,
	} {
		key, value, _ := strings.Cut(name, " ")
		if want := string(members[key]) == value; got != want {
			t.Fatalf("%s is %v, want %v", name, got, want)
		}
	}
	for key, got := range map[string]uint64{
		"last": uint64(r.last), "limit": uint64(r.limit), "before": r.before, "offset": r.offset,
	} {
		var want uint64
		if text, given := members[key]; given && json.Unmarshal(text, &want) != nil || got != want {
			t.Fatalf("%s %s is %d", key, text, got)
		}
	}
	var key string
	if text, given := members["key"]; given {
		if json.Unmarshal(text, &key) != nil || key == "" || len(key) > maxKey || string(payload.Unquote(r.key)) != key {
			t.Fatalf("key %s is %s", text, r.key)
		}
	}
	var seconds float64
	if text, given := members["ttl"]; given {
		if json.Unmarshal(text, &seconds) != nil || math.Abs(r.ttl.Seconds()-seconds) > 0.001 || r.ttl <= 0 {
			t.Fatalf("ttl %s is %v", text, r.ttl)
		}
	}
	if r.hasOffset != (members["offset"] != nil) || !bytes.Equal(r.epoch, members["epoch"]) {
		t.Fatalf("epoch %s, offset given %v; want %s", r.epoch, r.hasOffset, members)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, bm := range []struct{ name, line string }{
		{"verb=pub/bytes=128", `{"pub":"room:1","data":"` + strings.Repeat("x", 128) + `","id":17}`},
		{"verb=sub", `{"sub":"room:1","id":17}`},
	} {
		b.Run(bm.name, func(b *testing.B) {
			line := []byte(bm.line)
			var r request
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				_ = r.parse(line)
			}
		})
	}
}
