package contact

import (
	"testing"

	"github.com/feigeio/feige/internal/moderation/normal"
)

func TestPermittedHosts(t *testing.T) {
	t.Parallel()
	n, err := normal.New()
	if err != nil {
		t.Fatal(err)
	}
	d := New(n, []string{"douyin.com"})
	var text normal.Text
	var s Scratch
	check := func(message string, want bool) {
		t.Helper()
		n.Read(message, &text)
		if got := len(d.Find(&text, nil, &s)) > 0; got != want {
			t.Errorf("%s: found %v, want %v", message, got, want)
		}
		if _, _, got := d.QRPayload(message); got != want {
			t.Errorf("QR code of %s: found %v, want %v", message, got, want)
		}
	}
	check("https://douyin.com/a", false)
	check("https://v.douyin.com/a?b=c", false)
	check("https://DOUYIN.com", false)
	check("https://xdouyin.com/", true)
	check("https://douyin.com.top/", true)
	check("https://douyin.com@elsewhere.top/", true)
	check("https://elsewhere.top/douyin.com", true)
	check("https://elsewhere.top/?u=https://douyin.com", true)
}

func TestLuhn(t *testing.T) {
	t.Parallel()
	check := func(digits string, want bool) {
		t.Helper()
		if got := luhn([]byte(digits)); got != want {
			t.Errorf("%s: %v, want %v", digits, got, want)
		}
	}
	check("4111111111111111", true)
	check("4111111111111112", false)
	check("79927398713", true)
	check("0", true)
}
