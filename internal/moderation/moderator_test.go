package moderation

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/feigeio/feige/internal/policy"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	m := build(t)
	check := func(text, want string) {
		t.Helper()
		got := ""
		runes := []rune(text)
		flags := m.Check(subject(text))
		valid(t, text, flags)
		for _, f := range flags {
			got += f.Category + "/" + f.SubKind + " " + string(runes[f.From:f.To]) + "; "
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	check("", "")
	check("亲，什么时候发货", "")
	check("加我薇❤：abc_8899谢谢", "third_party_info/wechat 薇❤：abc_8899; ")
	check("打1\ufe0f\u20e33\ufe0f\u20e38 0013 8000找我", "third_party_info/phone 1\ufe0f\u20e33\ufe0f\u20e38 0013 8000; ")
	check("联系一三八零零一三八零零零", "third_party_info/phone 一三八零零一三八零零零; ")
	check("QQ 2345678901", "third_party_info/qq QQ 2345678901; ")
	check("发到lili@163.com", "third_party_info/email lili@163.com; ")
	check("https://v.douyin.com/iABC/", "")
	check("https://douyin.com.shop88.top/x", "third_party_info/link https://douyin.com.shop88.top/x; ")
	check("https://douyin.com@shop88.top/x", "third_party_info/link https://douyin.com@shop88.top/x; ")
	check("notdouyin.com", "third_party_info/link notdouyin.com; ")
	check("卡号6222 0212 3456 7890 128", "third_party_info/bank_card 6222 0212 3456 7890 128; ")
	check("支付宝13800138000", "third_party_info/payment_account 支付宝13800138000; ")
	check("实体店在杭州市西湖区文三路99号", "third_party_info/address 杭州市西湖区文三路99号; ")
	check("whatsapp：lili8899", "third_party_info/other_messenger whatsapp：lili8899; ")
	check("你是傻\u0336逼\u0336吗", "abuse/insult 傻\u0336逼\u0336; ")
	check("给我转200，不然差评", "malicious_claim/bad_rating 给我转200，不然差评; ")
	check("订单号13800138000什么时候发", "")
	check("收件人王女士，电话13800138000，改到文三路9号", "")
}

func TestSides(t *testing.T) {
	t.Parallel()
	m := build(t)
	check := func(side policy.Side, want bool) {
		t.Helper()
		flags := m.Check(Subject{Text: "赔我500块，否则我就投诉到工商", Side: side, Policy: defaultPolicy()})
		got := slices.ContainsFunc(flags, func(f Flag) bool { return f.Category == policy.CategoryMaliciousClaim })
		if got != want {
			t.Errorf("side %q: flagged %v, want %v: only consumers extort shops", side, got, want)
		}
	}
	check(policy.SideConsumer, true)
	check(policy.SideMerchant, false)
	check("", true)
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	hash := strings.Repeat("ab", 32)
	write(t, filepath.Join(dir, "films.sha256"), "# pirated\n"+hash+" a film\n")
	config := DefaultConfig()
	config.HashesDir = dir
	m, err := New(config, Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, a Attachment, want string) {
		t.Helper()
		got := ""
		for _, f := range m.CheckAttachment(subject(""), a) {
			if f.From != 0 || f.To != 0 || f.Severity == "" {
				t.Errorf("%s: %+v", name, f)
			}
			got += f.Category + "/" + f.SubKind + " "
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	check("nothing", Attachment{}, "")
	check("a listed file", Attachment{SHA256: strings.ToUpper(hash)}, "misuse/infringing_file ")
	check("another file", Attachment{SHA256: strings.Repeat("00", 32)}, "")
	check("a messenger's code", Attachment{QRPayloads: []string{"https://u.wechat.com/abc"}}, "third_party_info/qr ")
	check("a payment code", Attachment{QRPayloads: []string{"wxp://f2f0abc"}}, "third_party_info/qr ")
	check("the platform's code", Attachment{QRPayloads: []string{"https://v.douyin.com/abc"}}, "")
	check("posing as the platform", Attachment{QRPayloads: []string{"https://douyin.com@shop.top/"}}, "third_party_info/qr ")
	check("a serial number", Attachment{QRPayloads: []string{"SN2026110588"}}, "")
	check("text with a phone number", Attachment{QRPayloads: []string{"电话13800138000"}}, "third_party_info/phone ")
	check("a name with a contact", Attachment{FileName: "加微信abc8899.jpg"}, "third_party_info/wechat ")
	check("an ordinary name", Attachment{FileName: "IMG_20261105.png"}, "")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const ownPack = "name: own\nversion: %v\ncategory: spam\n\n[terms]\n%t\tmalicious_promotion\t0.95\n"

func pack(version, term string) string {
	return strings.NewReplacer("%v", version, "%t", term).Replace(ownPack)
}

func TestReload(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "own.txt")
	write(t, path, pack("1", "甲乙丙丁"))
	config := DefaultConfig()
	config.PacksDir = dir
	m, err := New(config, Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	flag := func(text string) string {
		for _, f := range m.Check(subject(text)) {
			return f.Version
		}
		return ""
	}
	if got := flag("看甲乙丙丁"); !strings.HasPrefix(got, "own-1+") {
		t.Fatalf("version %q, want own-1", got)
	}
	first := m.Version()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()
		synctest.Wait()
		write(t, path, pack("broken", "甲乙丙丁")+"not a term\n")
		time.Sleep(config.ReloadEvery)
		synctest.Wait()
		if m.Version() != first || flag("看甲乙丙丁") == "" {
			t.Error("a broken pack took the place of a good one")
		}
		write(t, path, pack("22", "戊己庚辛"))
		time.Sleep(config.ReloadEvery)
		synctest.Wait()
		if got := flag("看戊己庚辛"); !strings.HasPrefix(got, "own-22+") || flag("看甲乙丙丁") != "" || m.Version() == first {
			t.Errorf("version %q of %q after the reload", got, m.Version())
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	check := func(name, want string, change func(*Config)) {
		t.Helper()
		config := DefaultConfig()
		change(&config)
		if _, err := New(config, Dependencies{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	packs, hashes := t.TempDir(), t.TempDir()
	write(t, filepath.Join(packs, "x.txt"), "name: x\n[terms]\nterm\n")
	write(t, filepath.Join(hashes, "y.sha256"), "12 short\n")
	check("reload too often", "moderation.reload_every: 1ms", func(c *Config) { c.ReloadEvery = time.Millisecond })
	check("confidence", "moderation.min_confidence: 2", func(c *Config) { c.MinConfidence = 2 })
	check("threshold", "moderation.abuse_of_group: -1", func(c *Config) { c.AbuseOfGroup = -1 })
	check("pack", "x.txt:3: ", func(c *Config) { c.PacksDir = packs })
	check("hash list", "y.sha256:1: ", func(c *Config) { c.HashesDir = hashes })
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	m := build(t)
	texts := []string{"加我薇❤：abc_8899谢谢", "亲，什么时候发货", "黑人都是垃圾", "QQ 2345678901", "你们店全是傻逼"}
	var want []int
	for _, text := range texts {
		want = append(want, len(m.Check(subject(text))))
	}
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for i := range 200 {
				if got := len(m.Check(subject(texts[i%len(texts)]))); got != want[i%len(texts)] {
					t.Fatalf("%q: %d flags, want %d", texts[i%len(texts)], got, want[i%len(texts)])
				}
				if i == 100 {
					if err := m.Reload(); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}
