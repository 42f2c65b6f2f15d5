package resp

// violation is how a peer broke the protocol. Such a connection gets the text
// and is closed.
type violation struct {
	kind violationKind
	text string
}

func (v *violation) Error() string { return "ERR Protocol error: " + v.text }

// violationKind is what statistics count violations by.
type violationKind uint8

const (
	violationSyntax          violationKind = iota // not the protocol
	violationLimit                                // a limit was passed
	violationUnauthenticated                      // a limit before authentication was passed
	violationForeign                              // HTTP spoken to the Redis port
	violationStalled                              // the rest of a command did not come in time
	violationKinds
)

var violationNames = [violationKinds]string{
	"syntax", "limit", "unauthenticated", "foreign", "stalled",
}

func (k violationKind) String() string { return violationNames[k] }

// The texts are Redis'; errCommandSize is ours, as is the limit.
var (
	errMultibulkLength          = &violation{violationSyntax, "invalid multibulk length"}
	errBulkLength               = &violation{violationSyntax, "invalid bulk length"}
	errUnauthenticatedMultibulk = &violation{violationUnauthenticated, "unauthenticated multibulk length"}
	errUnauthenticatedBulk      = &violation{violationUnauthenticated, "unauthenticated bulk length"}
	errCommandSize              = &violation{violationLimit, "command is longer than max-command"}
	errQuotes                   = &violation{violationSyntax, "unbalanced quotes in request"}

	invalidLength = [...]*violation{inputMultibulk: errMultibulkLength, inputBulk: errBulkLength}

	tooBigLine = [...]*violation{
		inputInline:    {violationLimit, "too big inline request"},
		inputMultibulk: {violationLimit, "too big mbulk count string"},
		inputBulk:      {violationLimit, "too big bulk count string"},
	}
)

// expectedDollar is the violation of an argument that does not begin with "$".
func expectedDollar(got byte) *violation {
	return &violation{violationSyntax, "expected '$', got '" + string([]byte{got}) + "'"}
}
