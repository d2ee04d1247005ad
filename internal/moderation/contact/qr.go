package contact

import "strings"

// QRPayload judges what a QR code holds: the platform's own links pass.
func (d *Detector) QRPayload(payload string) (evidence string, confidence float64, flagged bool) {
	text := strings.ToLower(strings.TrimSpace(payload))
	if text == "" {
		return "", 0, false
	}
	for _, scheme := range []string{"weixin://", "wxp://", "alipays://", "alipayqr://", "mqqapi://", "tg://", "whatsapp://", "tel:", "mailto:", "sms:", "smsto:", "begin:vcard", "mecard:"} {
		if strings.HasPrefix(text, scheme) {
			return text, 0.97, true
		}
	}
	rest := text
	if _, after, ok := strings.Cut(text, "://"); ok {
		rest = after
	}
	host := rest
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host = host[:i]
	}
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	host, _, _ = strings.Cut(host, ":")
	host = strings.TrimSuffix(host, ".")
	labels := strings.Split(host, ".")
	if len(labels) < 2 || !topLevel[labels[len(labels)-1]] && rest == text {
		return "", 0, false // a number, a serial, free text: the text detectors' business
	}
	c := scan{Detector: d}
	if c.permittedHost(host) {
		return "", 0, false
	}
	return host, 0.95, true
}
