package auth

// Whom to ask and what to try, in the words that several messages share.

// payuContacts are those who can change something at PayU (PAYU P13, P28).
const payuContacts = "your key account manager at PayU or ai-solutions@payu.in"

// payuContact says whom to write to when the server's side lacks something.
func payuContact(resource string) string {
	if !isPayU(resource) {
		return "Ask whoever runs the server"
	}
	return "Write to " + payuContacts + ", with this message and the time"
}

// unfinishedAdvice is for a person who may have seen a page that nobody told us of.
func (c *Client) unfinishedAdvice(a *Attempt) string {
	text := "start again with payu-mcp login and finish within " + humanLimit(c.cfg.SignInLimit) + ". If the page ended with an error: "
	if a.Registration.Dynamic {
		text += "the next try registers this program again"
	} else {
		text += "check --client-id"
	}
	text += "; have the redirect URI " + a.RedirectURI + " registered, or give the registered port with --callback-port"
	if isPayU(c.cfg.Resource) {
		text += "; have the account enabled for MCP by " + payuContacts
	}
	return text
}
