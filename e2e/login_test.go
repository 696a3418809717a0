package e2e

import (
	"net/url"
	"testing"
	"time"
)

// signedIn is a world with gnome-keyring and a login made in the browser.
func signedIn(t *testing.T, name string) (*world, *stack, keyring) {
	t.Helper()
	w := newWorld(t)
	w.startBus()
	k := w.startKeyring(true)
	s := w.startStack(10 * time.Minute)
	w.chromium(name, nil)
	w.must(w.payu("login", "--url", s.Endpoint), 0)
	w.visited(name) // its profile, which holds codes, is gone then
	return w, s, k
}

func (s *stack) origin(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
