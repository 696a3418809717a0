package sandbox

import (
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
)

// dumps keeps what the foreign listener got, word by word.
type dumps struct {
	mu  sync.Mutex
	all []string
}

// foreignHandler plays a host that is not PayU's: it answers 200 to everything
// and remembers it.
func (s *Sandbox) foreignHandler() http.Handler {
	return s.record(RoleForeign, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := httputil.DumpRequest(r, true)
		if err != nil {
			raw = []byte(r.URL.String())
		}
		s.log.foreign.mu.Lock()
		defer s.log.foreign.mu.Unlock()
		s.log.foreign.all = append(s.log.foreign.all, string(raw))
		w.WriteHeader(http.StatusOK)
	}))
}

// LeakedAbroad tells whether any secret was ever seen by the foreign listener.
func (l *Log) LeakedAbroad() bool {
	secrets := l.Secrets()
	l.foreign.mu.Lock()
	defer l.foreign.mu.Unlock()
	for _, raw := range l.foreign.all {
		for _, v := range secrets {
			if strings.Contains(raw, v) {
				return true
			}
		}
	}
	return false
}
