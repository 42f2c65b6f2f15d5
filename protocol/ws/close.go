package ws

import (
	"encoding/binary"

	"fanfare/broker"
)

// A close code of ours is closeBase + the error's code, in the range RFC 6455
// section 7.4.2 leaves to private use.
const closeBase = 4000

// maxControlPayload is RFC 6455 section 5.5's.
const maxControlPayload = 125

// closes says how the end of a session looks to its peer. What has no row here
// ends without a close frame of ours, because the peer has left.
var closes = map[broker.Reason]fault{
	broker.ReasonKilled:   {403, "ended by an operator"},
	broker.ReasonSlow:     {507, "too slow"},
	broker.ReasonShutdown: {503, "shutting down"},
	broker.ReasonProtocol: {400, "bad request"},
	broker.ReasonTooBig:   {413, "frame too big"},
	broker.ReasonIdle:     {408, "no answer in time"},
	broker.ReasonRate:     {429, "too many requests"},
	broker.ReasonDenied:   {403, "denied"},
	broker.ReasonExpired:  {401, "token needed"},
	broker.ReasonInternal: {500, "internal error"},
}

// closeFrames are the frames themselves, which never change.
var closeFrames = makeCloseFrames()

func makeCloseFrames() map[broker.Reason][]byte {
	frames := make(map[broker.Reason][]byte, len(closes))
	for reason, f := range closes {
		frames[reason] = closeFrame(closeBase+f.code, f.text)
	}
	return frames
}

// closeFrame builds an unmasked close frame; the text is cut to what fits.
func closeFrame(code int, text string) []byte {
	text = text[:min(len(text), maxControlPayload-2)]
	frame := []byte{0x80 | opClose, byte(2 + len(text))}
	frame = binary.BigEndian.AppendUint16(frame, uint16(code)) // #nosec G115 -- below 5000
	return append(frame, text...)
}
