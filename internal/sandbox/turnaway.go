package sandbox

import (
	"net/http"
	"net/url"
)

// TurnAway is how the authorization endpoint meets a client that it does not know:
// RFC 6749 section 4.1.2.1 leaves the form open, and servers differ.
type TurnAway int

// The forms.
const (
	TurnAwayPage          TurnAway = iota // a page with status 400
	TurnAwayUnauthorized                  // a page with status 401, as Doorkeeper
	TurnAwayUnprocessable                 // a JSON object with status 422, as Supabase
	TurnAwayRedirect                      // to the redirect URI, with invalid_client
	TurnAwayElsewhere                     // to a page of its own, with invalid_client, as Hydra
	TurnAwayOK                            // a page with status 200, as older Doorkeepers
)

// turnedAway is why an authorization request ends on a page.
type turnedAway struct {
	title, text string
	unknown     bool // the client
}

// turnAway ends a request that must not lead back to the client (RFC 6749 section
// 4.1.2.1), or does so all the same where the knob says so.
func (s *Sandbox) turnAway(w http.ResponseWriter, a *authorization) {
	form := TurnAwayPage
	if a.turnedAway.unknown {
		form = s.Knobs().Client.Unknown
	}
	status := http.StatusBadRequest
	switch form {
	case TurnAwayPage:
	case TurnAwayUnauthorized:
		status = http.StatusUnauthorized
	case TurnAwayOK:
		status = http.StatusOK
	case TurnAwayUnprocessable:
		writeJSON(w, http.StatusUnprocessableEntity, map[string]string{"message": "Unrecognized client_id"})
		return
	case TurnAwayRedirect:
		s.answer(w, a, url.Values{"error": {"invalid_client"}})
		return
	case TurnAwayElsewhere:
		w.Header().Set("Location", s.accountsName()+"/oauth/error?error=invalid_client")
		w.WriteHeader(http.StatusFound)
		return
	}
	s.show(w, status, a.turnedAway.title, refusalBody(a.turnedAway.text))
}
