package moderation

import (
	"strings"

	"github.com/feigeio/feige/internal/policy"
)

// Attachment is what is known of a file or picture.
type Attachment struct {
	SHA256 string // hexadecimal
	// QRPayloads were decoded from the picture.
	QRPayloads []string
	FileName   string
}

// CheckAttachment judges a file by the declared hash lists (2.10) and a picture by the QR codes in it (2.3). The
// flags' spans are 0.
func (m *Moderator) CheckAttachment(subject Subject, a Attachment) []Flag {
	r := m.rules.Load()
	v := verdict{moderator: m, subject: subject, rules: r}
	if remark, ok := r.hashes[strings.ToLower(a.SHA256)]; ok {
		v.add(Flag{
			Category: policy.CategoryMisuse, Kind: "infringing_file", SubKind: "infringing_file", Evidence: strings.TrimSpace(a.SHA256 + " " + remark),
			Detector: DetectorFileHash, Version: r.version, Confidence: 0.99,
		})
	}
	detector := m.contactDetector(subject.Policy)
	for _, payload := range a.QRPayloads {
		if evidence, confidence, ok := detector.QRPayload(payload); ok {
			v.add(Flag{
				Category: policy.CategoryThirdPartyInfo, Kind: "qr_code", SubKind: "qr", Evidence: evidence,
				Detector: DetectorQR, Version: r.version, Confidence: confidence,
			})
			continue
		}
		inner := subject
		inner.Text = payload
		for _, f := range m.Check(inner) {
			f.From, f.To = 0, 0
			f.Detector = DetectorQR
			v.flags = append(v.flags, f)
		}
	}
	if name := a.FileName; name != "" {
		inner := subject
		inner.Text = name
		for _, f := range m.Check(inner) {
			if f.SubKind != "link" { // a name's extension is no domain
				f.From, f.To = 0, 0
				v.flags = append(v.flags, f)
			}
		}
	}
	return v.flags
}
