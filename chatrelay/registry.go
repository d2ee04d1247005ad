package chatrelay

import (
	"sync"

	"github.com/feigeio/feige/internal/signin"
)

// account is a role and an id: the same id in two roles is two accounts.
type account struct {
	role signin.Role
	id   string
}

// registry is who is connected.
type registry struct {
	mu        sync.RWMutex
	all       map[*session]struct{}
	byShop    map[string]map[*session]struct{} // those of a shop's side, and those who watch it
	consumers map[string]map[*session]struct{} // consumers, by their shop
	byAccount map[account]map[*session]struct{}
}

func newRegistry() *registry {
	return &registry{all: map[*session]struct{}{}, byShop: map[string]map[*session]struct{}{},
		consumers: map[string]map[*session]struct{}{}, byAccount: map[account]map[*session]struct{}{}}
}

func put[K comparable](m map[K]map[*session]struct{}, key K, s *session) {
	of := m[key]
	if of == nil {
		of = make(map[*session]struct{}, 1)
		m[key] = of
	}
	of[s] = struct{}{}
}

func drop[K comparable](m map[K]map[*session]struct{}, key K, s *session) {
	delete(m[key], s)
	if len(m[key]) == 0 {
		delete(m, key)
	}
}

func (g *registry) add(s *session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all[s] = struct{}{}
	put(g.byAccount, s.account(), s)
	if s.shop == "" {
		return
	}
	if s.id.Role == signin.Consumer {
		put(g.consumers, s.shop, s)
	} else {
		put(g.byShop, s.shop, s)
	}
}

// watch adds a shop to what a service sees.
func (g *registry) watch(s *session, shop string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.watched == nil {
		s.watched = map[string]struct{}{}
	}
	s.watched[shop] = struct{}{}
	put(g.byShop, shop, s)
}

func (g *registry) unwatch(s *session, shop string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(s.watched, shop)
	drop(g.byShop, shop, s)
}

func (g *registry) remove(s *session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.all, s)
	drop(g.byAccount, s.account(), s)
	drop(g.consumers, s.shop, s)
	drop(g.byShop, s.shop, s)
	for shop := range s.watched {
		drop(g.byShop, shop, s)
	}
}

func (g *registry) each(do func(*session)) {
	for _, s := range g.list(func() map[*session]struct{} { return g.all }) {
		do(s)
	}
}

// ofShop calls do for each of the shop's side.
func (g *registry) ofShop(shop string, do func(*session)) {
	for _, s := range g.list(func() map[*session]struct{} { return g.byShop[shop] }) {
		do(s)
	}
}

// consumersOf calls do for each consumer who is connected for the shop.
func (g *registry) consumersOf(shop string, do func(*session)) {
	for _, s := range g.list(func() map[*session]struct{} { return g.consumers[shop] }) {
		do(s)
	}
}

// ofAccount calls do for each connection of an account.
func (g *registry) ofAccount(a account, do func(*session)) {
	for _, s := range g.list(func() map[*session]struct{} { return g.byAccount[a] }) {
		do(s)
	}
}

func (g *registry) list(of func() map[*session]struct{}) []*session {
	g.mu.RLock()
	defer g.mu.RUnlock()
	m := of()
	out := make([]*session, 0, len(m))
	for s := range m {
		out = append(out, s)
	}
	return out
}
