package sandbox

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
	deviceLife  = 10 * time.Minute
	devicePause = 5 * time.Second // RFC 8628 section 3.2
)

// DeviceKnobs shape the device authorization grant (RFC 8628), which PayU does not
// document: it is off.
type DeviceKnobs struct {
	// Offered puts the endpoint and the grant type into the metadata and serves it.
	Offered bool
	// Pause is the interval between two questions, in whole seconds; 0 is 5 s.
	Pause time.Duration
	// Life is how long a code is good, in whole seconds; 0 is ten minutes.
	Life time.Duration
	// NoLink leaves verification_uri_complete out.
	NoLink bool
}

// addTo completes the metadata document, but for members that a test has set.
func (k DeviceKnobs) addTo(doc map[string]any, accounts string, set map[string]any) {
	if _, own := set["device_authorization_endpoint"]; !k.Offered || own {
		return
	}
	doc["device_authorization_endpoint"] = accounts + "/oauth/device_authorization"
	if types, ok := doc["grant_types_supported"].([]string); ok {
		doc["grant_types_supported"] = append(slices.Clone(types), deviceGrant)
	}
}

// deviceLogin is one code on its way.
type deviceLogin struct {
	authorization
	expires time.Time
	asked   time.Time // when the client asked last
	pause   time.Duration
	decided bool
	allowed bool
	spent   bool
}

// devices holds them by device code. Its zero value is ready.
type devices struct {
	mu  sync.Mutex
	all map[string]*deviceLogin
}

func (d *devices) add(secret string, l *deviceLogin) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[string]*deviceLogin{}
	}
	d.all[secret] = l
}

// find returns the open login of a user code.
func (d *devices) find(userCode string, now time.Time) (authorization, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.all {
		if l.device == userCode && !l.decided && now.Before(l.expires) {
			return l.authorization, true
		}
	}
	return authorization{}, false
}

// decide notes what user has chosen.
func (d *devices) decide(a *authorization, allowed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.all {
		if l.device == a.device && !l.decided {
			l.decided, l.allowed, l.user = true, allowed, a.user
		}
	}
}

// ask is one question of the client: the authorization, or an error code of
// RFC 8628 section 3.5.
func (d *devices) ask(secret, client string, now time.Time) (*authorization, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.all[secret]
	switch {
	case l == nil || l.client.ID != client || l.spent:
		return nil, "invalid_grant"
	case !now.Before(l.expires):
		return nil, "expired_token"
	case l.decided && !l.allowed:
		return nil, "access_denied"
	case l.decided:
		l.spent = true
		return &l.authorization, ""
	}
	early := now.Sub(l.asked) < l.pause
	l.asked = now
	if early {
		l.pause += devicePause
		return nil, "slow_down"
	}
	return nil, "authorization_pending"
}

// authorizeDevice is AS POST /oauth/device_authorization (RFC 8628 section 3.1).
func (s *Sandbox) authorizeDevice(w http.ResponseWriter, r *http.Request) {
	all := s.Knobs()
	k := all.Device
	c, known := Client{}, false
	if err := r.ParseForm(); err == nil {
		c, known = s.authenticate(r)
	}
	switch {
	case !k.Offered:
		http.NotFound(w, r)
	case !known:
		oauthError(w, http.StatusUnauthorized, "invalid_client", textInvalidClient)
	case len(c.GrantTypes) > 0 && !slices.Contains(c.GrantTypes, deviceGrant):
		oauthError(w, http.StatusBadRequest, "unauthorized_client", "The client is not authorized to use this authorization grant type.")
	case !s.ownResource(r.PostForm.Get("resource")):
		oauthError(w, http.StatusBadRequest, "invalid_target", "The requested resource is invalid, missing, unknown, or malformed.")
	default:
		s.giveCode(w, all, authorization{
			client: c, resource: r.PostForm.Get("resource"), scope: cmp.Or(r.PostForm.Get("scope"), defaultScope), device: userCode(),
		})
	}
}

func (s *Sandbox) giveCode(w http.ResponseWriter, all Knobs, a authorization) {
	k := all.Device
	life, pause := cmp.Or(k.Life, deviceLife), cmp.Or(k.Pause, devicePause)
	secret := s.newSecret(tokenDigits)
	s.devices.add(secret, &deviceLogin{authorization: a, expires: s.now().Add(life), pause: pause})
	if u, ok := findUser(all.Login.Headless); ok {
		a.user = u.id
		s.devices.decide(&a, s.allows(&a, true))
	}
	page := s.accountsName() + "/oauth/device"
	answer := map[string]any{
		"device_code": secret, "user_code": a.device, "verification_uri": page,
		"expires_in": int(life / time.Second), "interval": int(pause / time.Second),
	}
	if !k.NoLink {
		answer["verification_uri_complete"] = page + "?" + url.Values{"user_code": {a.device}}.Encode()
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, answer)
}

// userCode is eight letters that are not easily taken for others (RFC 8628
// section 6.1).
func userCode() string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	for i, v := range b {
		b[i] = letters[int(v)%len(letters)]
	}
	return string(b[:4]) + "-" + string(b[4:])
}

// devicePage asks for the code, or shows it when the link holds it.
func (s *Sandbox) devicePage(w http.ResponseWriter, r *http.Request) {
	if !s.Knobs().Device.Offered {
		http.NotFound(w, r)
		return
	}
	s.show(w, http.StatusOK, "Sign in by code", deviceBody(r.URL.Query().Get("user_code"), ""))
}

// enterCode takes the form with the code.
func (s *Sandbox) enterCode(w http.ResponseWriter, r *http.Request) {
	typed := strings.ToUpper(strings.TrimSpace(r.PostFormValue("user_code")))
	a, open := s.devices.find(typed, s.now())
	if !open {
		s.show(w, http.StatusBadRequest, "Sign in by code", deviceBody("", "No sign-in waits for this code. It may be too old."))
		return
	}
	id := rand.Text()
	s.logins.put(id, a)
	s.showSignIn(w, http.StatusOK, id, "")
}

// concludeDevice ends the person's part.
func (s *Sandbox) concludeDevice(w http.ResponseWriter, a *authorization, allowed bool) {
	allowed = s.allows(a, allowed)
	s.devices.decide(a, allowed)
	if !allowed {
		s.show(w, http.StatusOK, "Access denied", endBody("Nothing was shared. You can close this page."))
		return
	}
	s.show(w, http.StatusOK, "Access allowed", endBody("Go back to the program that showed you the code. You can close this page."))
}

// allows tells whether a sign-in ends well, as the person and the knobs say.
func (s *Sandbox) allows(a *authorization, chosen bool) bool {
	u, _ := findUser(a.user)
	return chosen && u.enabled && s.Knobs().Login.Outcome != OutcomeDeny
}

// redeemDevice gives tokens for a device code (RFC 8628 section 3.4).
func (s *Sandbox) redeemDevice(w http.ResponseWriter, r *http.Request, c Client, k TokenKnobs) {
	a, code := s.devices.ask(r.PostForm.Get("device_code"), c.ID, s.now())
	if code != "" {
		oauthError(w, http.StatusBadRequest, code, "")
		return
	}
	s.grants.mu.Lock()
	g := s.grants.open(a)
	s.grants.mu.Unlock()
	fresh := ""
	if k.Rotation != RotateNever {
		fresh = s.newSecret(k.digits())
	}
	s.grant(w, g, k, fresh, fresh, nil)
}
