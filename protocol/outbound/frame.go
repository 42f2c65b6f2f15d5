package outbound

import "encoding/binary"

// A frame of pushes holds at most this much. A larger message is a frame of its
// own. Chromium takes 160,000 messages a second in frames of 100 messages, and
// 9,000 in frames of one.
const (
	frameBytes    = 64 << 10
	frameMessages = 128
)

// maxHeader is the longest header of a server's frame (RFC 6455 section 5.2).
const maxHeader = 10

// frame is a frame that was begun and not finished.
type frame struct {
	active bool
	header [maxHeader]byte // its rest is in front
	rest   uint8           // bytes of the header not yet written
	left   int             // bytes of the payload not yet written
}

// framePlan says how the pieces of a batch make up frames.
type framePlan struct {
	planned [maxPieces]plannedFrame
	headers [maxPieces][maxHeader]byte
	n       int
}

type plannedFrame struct {
	header  int // bytes of header in the batch
	payload int // bytes of payload
	raw     bool
}

func (p *framePlan) reset() { p.n = 0 }

// textHeader writes the header of an unmasked text frame and returns its length.
func textHeader(h *[maxHeader]byte, payload int) int {
	h[0] = 0x81 // FIN, text
	switch {
	case payload < 126:
		h[1] = byte(payload)
		return 2
	case payload < 1<<16:
		h[1] = 126
		binary.BigEndian.PutUint16(h[2:], uint16(payload))
		return 4
	default:
		h[1] = 127
		binary.BigEndian.PutUint64(h[2:], uint64(payload))
		return 10
	}
}

// gatherFrames collects the rest of the frame that was begun, and then whole
// ones. A message whose end is not queued yet stays where it is.
func (q *Queue) gatherFrames(b *batch) {
	i := 0
	if q.frame.active {
		var whole bool
		if i, whole = q.gatherBegun(b); !whole {
			q.inflight = i
			return
		}
	}
	for i < len(q.entries) && b.n+2 <= maxPieces {
		if e := &q.entries[i]; e.isRaw() {
			b.add(e.bytes())
			b.frames.add(plannedFrame{payload: e.len(), raw: true})
			i++
			continue
		}
		n := q.frameEntries(i, maxPieces-b.n-1)
		if n == 0 {
			break
		}
		q.gatherFrame(b, q.entries[i:i+n])
		i += n
	}
	q.inflight = i
}

func (p *framePlan) add(f plannedFrame) {
	p.planned[p.n] = f
	p.n++
}

// gatherBegun collects the rest of the frame that was begun and returns the
// number of entries that it covers. They are whole unless the pieces ran out, or
// the last one has grown since the frame was planned; then nothing can follow.
func (q *Queue) gatherBegun(b *batch) (entries int, whole bool) {
	plan := plannedFrame{header: int(q.frame.rest), payload: q.frame.left}
	if plan.header > 0 {
		h := &b.frames.headers[b.frames.n]
		copy(h[:], q.frame.header[:plan.header])
		b.add(h[:plan.header])
	}
	left, i := q.frame.left, 0
	for left >= 0 && b.n < maxPieces { // the entry that holds only the newline counts too
		e := &q.entries[i]
		k := min(left, e.len())
		if k > 0 {
			b.add(e.bytes()[:k])
		}
		if left -= e.len(); left < 0 {
			break
		}
		i++
	}
	plan.payload -= max(left, 0)
	b.frames.add(plan)
	return i + 1, left == -1
}

// frameEntries returns how many entries from index i on make the next frame:
// as many as fit, and at least one whole message; 0 if there is none yet or it
// does not fit into the pieces.
func (q *Queue) frameEntries(i, pieces int) int {
	n, size, messages := 0, 0, 0
	for j := i; j < len(q.entries) && j-i < pieces && !q.entries[j].isRaw(); j++ {
		e := &q.entries[j]
		size += e.len()
		messages += e.messages()
		if n > 0 && (size > frameBytes || messages > frameMessages) {
			break
		}
		if e.ends() {
			n = j - i + 1
		}
	}
	return n
}

// gatherFrame collects one frame of whole messages. The newline behind the last
// one is left out.
func (q *Queue) gatherFrame(b *batch, entries []entry) {
	payload := -1
	for i := range entries {
		payload += entries[i].len()
	}
	header := &b.frames.headers[b.frames.n]
	n := textHeader(header, payload)
	b.add(header[:n])
	for i := range entries {
		p := entries[i].bytes()
		if i == len(entries)-1 {
			p = p[:len(p)-1]
		}
		b.add(p)
	}
	b.frames.add(plannedFrame{header: n, payload: payload})
}

// consumeFrames takes n written bytes off the queue, frame by frame.
func (q *Queue) consumeFrames(b *batch, n int) {
	for i := range b.frames.planned[:b.frames.n] {
		f := &b.frames.planned[i]
		if f.raw {
			k := min(n, f.payload)
			q.advance(k)
			if n -= k; k < f.payload {
				return
			}
			continue
		}
		if n < f.header+f.payload || i == 0 && q.frame.active && f.payload < q.frame.left {
			q.begin(b, i, n)
			return
		}
		n -= f.header + f.payload
		q.advance(f.payload + 1)
		q.frame = frame{}
	}
}

// begin notes how far a frame was written; n bytes of it were.
func (q *Queue) begin(b *batch, i, n int) {
	f := &b.frames.planned[i]
	if n == 0 && !(i == 0 && q.frame.active) {
		return
	}
	left := f.payload
	if q.frame.active {
		left = q.frame.left
	}
	fromHeader := min(n, f.header)
	rest := f.header - fromHeader
	header := b.frames.headers[i]
	copy(q.frame.header[:], header[fromHeader:f.header])
	q.frame.active, q.frame.rest, q.frame.left = true, uint8(rest), left-(n-fromHeader)
	q.advance(n - fromHeader)
}
