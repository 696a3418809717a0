package sandbox

import "slices"

// Passphrase is what the sign-in page takes for every user; the page says so.
const Passphrase = "sandbox"

// Merchant is a PayU merchant account.
type Merchant struct {
	MID, Name string
}

// user is somebody who can sign in (PAYU S3).
type user struct {
	id, about string
	merchants []Merchant
	enabled   bool // for MCP (PAYU P13)
}

func users() []user {
	primary := Merchant{"180012", "Primary Store"}
	return []user{
		{"A", "one merchant account", []Merchant{primary}, true},
		{"B", "three merchant accounts", []Merchant{primary, {"180045", "Online Shop"}, {"180078", "Mobile App"}}, true},
		{"C", "not enabled for MCP", nil, false},
	}
}

func findUser(id string) (user, bool) {
	all := users()
	i := slices.IndexFunc(all, func(u user) bool { return u.id == id })
	if i < 0 {
		return user{}, false
	}
	return all[i], true
}
