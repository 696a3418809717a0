package loopback

import "net/http"

// GoOn sends the browser that is held on to another authorization request and
// waits for another callback, as if none had come. Until it returns the callback
// that came counts, so Accept must take the new one, and that alone, before it is
// called. It must not be called after Finish.
func (l *Listener) GoOn(authorizationURL string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.onward, l.used = authorizationURL, false
	close(l.finished)
	l.finished = make(chan struct{})
}

// round is closed when it is known what becomes of the callback that counts now.
func (l *Listener) round() chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.finished
}

// after is where the browser of a callback goes whose round was held.
func (l *Listener) after(round chan struct{}) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.finished != round {
		return l.onward
	}
	return donePath
}

// authorizationURL is where the start page sends the browser.
func (l *Listener) authorizationURL() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.onward != "" {
		return l.onward
	}
	return l.flow.AuthorizationURL
}

// goesOn tells whether the request for the last page comes from the browser of a
// flow that goes on: it was held for so long that it looks there by itself. Who has
// no cookie is told no address.
func (l *Listener) goesOn(r *http.Request) bool {
	l.mu.Lock()
	on := l.onward != "" && !l.used
	l.mu.Unlock()
	return on && l.flow.Bound && l.hasCookie(r)
}
