package schemas_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/feigeio/feige/schemas"
)

// Partition is what goka and the publishers make of ShopHash, and IsEventKey is a comparison with EventKey.
func TestKeys(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.StringMatching(`[ab/]{0,4}`), rapid.String())
		shop, conversation, n := id.Draw(t, "shop"), id.Draw(t, "conversation"), rapid.Int32Range(1, 64).Draw(t, "partitions")
		key := schemas.EventKey(shop, conversation)
		h := schemas.NewShopHash()
		_, _ = h.Write([]byte(key))
		if want := int32(h.Sum32()) % n; schemas.Partition(key, n) != want || schemas.Partition([]byte(key), n) != want {
			t.Errorf("key %q: partitions %d and %d, want %d", key, schemas.Partition(key, n), schemas.Partition([]byte(key), n), want)
		}
		other := id.Draw(t, "other") + "/" + id.Draw(t, "rest")
		if !schemas.IsEventKey(key, shop, conversation) || schemas.IsEventKey(other, shop, conversation) != (other == key) || schemas.IsEventKey([]byte(other), shop, conversation) != (other == key) {
			t.Errorf("keys %q and %q of %q and %q are taken for what they are not", key, other, shop, conversation)
		}
	})
}
