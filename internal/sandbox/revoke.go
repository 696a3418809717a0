package sandbox

import "net/http"

// revoke is AS POST /oauth/revoke (RFC 7009). The answer is 200 whatever the
// token was; the whole grant ends with it.
func (s *Sandbox) revoke(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err == nil {
		s.grants.revoke(r.PostForm.Get("token"))
	}
	w.WriteHeader(http.StatusOK)
}
