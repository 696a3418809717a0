package sandbox

import (
	"cmp"
	"net/url"

	"github.com/payu-mcp/payu-mcp/internal/markup"
)

// The bodies of the sandbox's pages.

// faultBody is what was wrong with the form before.
func faultBody(words string) markup.HTML {
	if words == "" {
		return ""
	}
	return markup.Fill(`<p class="fault" role="alert">{{words}}</p>
`, markup.Put("words", words))
}

func signInBody(request, fault string) markup.HTML {
	accounts := markup.Each(users(), func(u user) markup.HTML {
		return markup.Fill(`<option value="{{id}}">{{label}}</option>
`, markup.Put("id", u.id), markup.Put("label", u.label()))
	})
	return faultBody(fault) + markup.Fill(`<form id="sign-in" method="post" action="/oauth/sign-in">
<input type="hidden" name="request" value="{{request}}">
<label for="user">Account</label>
<select id="user" name="user" autocomplete="off">
{{accounts}}</select>
<label for="passphrase">Passphrase</label>
<input id="passphrase" name="passphrase" type="password" autocomplete="off" required aria-describedby="hint">
<p id="hint" class="soft">For every account: {{passphrase}}</p>
<div class="buttons"><button type="submit">Sign in</button></div>
</form>
`, markup.Put("request", request), markup.Put("passphrase", Passphrase), markup.Place{Name: "accounts", HTML: accounts})
}

func consentBody(request string, a *authorization) markup.HTML {
	u, _ := findUser(a.user)
	permissions := markup.Each(consentWords(), func(p permission) markup.HTML {
		return markup.Fill(`<div><dt>{{name}}</dt><dd>{{about}}</dd></div>
`, markup.Put("name", p.Name), markup.Put("about", p.Text))
	})
	return markup.Fill(`<p><strong>{{application}}</strong> asks to act for <strong>{{user}}</strong>.</p>
<dl>
{{permissions}}</dl>
<form id="consent" method="post" action="/oauth/consent">
<input type="hidden" name="request" value="{{request}}">
<div class="buttons"><button type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny" class="second">Deny</button></div>
</form>
<p class="soft">The answer goes to {{answer}}.</p>
`, markup.Put("application", cmp.Or(a.client.Name, a.client.ID)), markup.Put("user", u.label()), markup.Put("request", request),
		markup.Put("answer", answerGoesTo(a)), markup.Place{Name: "permissions", HTML: permissions})
}

// answerGoesTo is who gets what the person decides.
func answerGoesTo(a *authorization) string {
	if a.device != "" {
		return "the program that shows the code " + a.device
	}
	to, err := url.Parse(a.redirect)
	if err != nil {
		return ""
	}
	return to.Host
}

func deviceBody(code, fault string) markup.HTML {
	return faultBody(fault) + markup.Fill(`<form id="device" method="post" action="/oauth/device">
<label for="user_code">Code that your program shows</label>
<input id="user_code" name="user_code" type="text" value="{{code}}" autocomplete="off" required>
<div class="buttons"><button type="submit">Continue</button></div>
</form>
`, markup.Put("code", code))
}

func endBody(words string) markup.HTML {
	return markup.Fill(`<p role="status">{{words}}</p>
`, markup.Put("words", words))
}

func refusalBody(words string) markup.HTML {
	return markup.Fill(`<p role="alert">{{words}}</p>
`, markup.Put("words", words))
}
