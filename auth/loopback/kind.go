package loopback

// Kind says which state a page shows; it chooses the page's mark and colour.
type Kind string

// The kinds of page.
const (
	KindSuccess Kind = "success" // signed in and stored
	KindDenied  Kind = "denied"  // the person or the server said no
	KindFailed  Kind = "failed"  // something went wrong
	KindPending Kind = "pending" // not known yet
	KindLate    Kind = "late"    // the time of the sign-in is over
	KindNote    Kind = "note"    // this request was not used; the sign-in may go on
)

// State is what the tab says first; "" leaves that to the heading.
func (k Kind) State() string {
	switch k {
	case KindSuccess:
		return "Signed in"
	case KindDenied:
		return "Denied"
	case KindPending:
		return "Please wait"
	case KindLate:
		return "Too late"
	case KindFailed:
		return "Failed"
	default:
		return ""
	}
}

// Mark is the line of the page's drawing, within 48 by 48.
func (k Kind) Mark() string {
	switch k {
	case KindSuccess: // a tick
		return "M14.5 24.5l6.5 6.5 12.5-13.5"
	case KindDenied: // a bar
		return "M15 24h18"
	case KindPending: // an open ring
		return "M24 12a12 12 0 1 1-10.4 6"
	case KindLate: // a clock's hands
		return "M24 13v11l7.5 5"
	case KindNote: // an i
		return "M24 23v10M24 15v.1"
	default: // a cross
		return "M17 17l14 14M31 17l-14 14"
	}
}
