package kv

import (
	"bytes"
	"testing"
)

// Bytes that nobody exported are refused, and harm nothing.
func FuzzDecodeList(f *testing.F) {
	l := new(list)
	for _, item := range []string{"", "a", string(make([]byte, 9000))} {
		l.push(Right, []byte(item), &DefaultCompact)
	}
	f.Add(encoded(l))
	f.Add([]byte{0x80, 0x00, 0x00, 0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := decodeObject(TypeList, data, &DefaultCompact)
		if err != nil {
			return
		}
		if !bytes.Equal(encoded(o), data) || o.len() == 0 || recountList(o) != o.bytes() {
			t.Errorf("got %d elements, %q", o.len(), encoded(o))
		}
	})
}
