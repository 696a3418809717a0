package sandbox

const toolCreateLink = "payLinks_paymentLink_create"

const invoiceProperty = `"invoiceNumber":{"type":"string"}`

// linkTools are W7 to W10. Amounts are rupees, dates IST (PAYU P26).
func linkTools() []tool {
	return []tool{
		{
			name: toolCreateLink, title: "Create payment link", write: true, needsMerchant: true,
			description: "Create a payment link. Amounts are in rupees.",
			schema: `{"type":"object","properties":{` + invoiceProperty + `,"amount":{"type":"number","exclusiveMinimum":0},` +
				`"subAmount":{"type":"number","exclusiveMinimum":0},"description":{"type":"string"},` +
				`"expiryDate":{"type":"string","description":"IST, YYYY-MM-DD HH:MM:SS"},"isPartialPaymentAllowed":{"type":"boolean"},` +
				`"customerName":{"type":"string"},"customerEmail":{"type":"string"},"customerPhone":{"type":"string"}},` +
				`"anyOf":[{"required":["amount"]},{"required":["subAmount"]}]}`,
			run: runCreateLink,
		},
		{
			name: "payLinks_paymentLink_sendPaymentLink", title: "Send payment link", write: true, needsMerchant: true,
			description: "Send a payment link to a customer by email or SMS.",
			schema: `{"type":"object","properties":{` + invoiceProperty + `,"channels":{"type":"array","minItems":1,"items":{"type":"object",` +
				`"properties":{"type":{"type":"string","enum":["email","sms"]},"address":{"type":"string"}},"required":["type","address"]}}},` +
				`"required":["invoiceNumber","channels"]}`,
			run: runSendLink,
		},
		{
			name: "payLinks_paymentLink_getByInvoiceNumber", title: "Get payment link", needsMerchant: true,
			description: "Show a payment link and what was paid.",
			schema: `{"type":"object","properties":{` + invoiceProperty + `,"paymentDetailsRequired":{"type":"boolean"}},` +
				`"required":["invoiceNumber"]}`,
			run: runGetLink,
		},
		{
			name: "payLinks_paymentLink_updatePaymentLink", title: "Update payment link", write: true, needsMerchant: true,
			description: "Change a payment link's description, status or expiry.",
			schema: `{"type":"object","properties":{` + invoiceProperty + `,"description":{"type":"string"},` +
				`"status":{"type":"string","enum":["active","inactive"]},"expiryDate":{"type":"string","description":"IST, YYYY-MM-DD HH:MM:SS"}},` +
				`"required":["invoiceNumber"]}`,
			run: runUpdateLink,
		},
	}
}
