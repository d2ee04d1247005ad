// Brings the chat onto a shop's page:
//   <script src="https://RELAY/widget.js" data-shop="SHOP" data-token="JWT" async></script>
// data-token-callback names a global function that returns a token (or a promise of one) instead of data-token.
// Also: data-lang (zh, en), data-color (hexadecimal), data-title, data-position (right, left).
(() => {
  const script = document.currentScript;
  if (!script) return;
  const base = new URL(script.src).origin;
  const set = script.dataset;
  const lang = set.lang || ((navigator.language || 'zh').startsWith('zh') ? 'zh' : 'en');
  const colour = /^#?[0-9a-fA-F]{6}$/.test(set.color || '') ? set.color.replace('#', '') : '1668dc';
  const words = lang === 'zh' ? { open: '联系客服', close: '关闭客服窗口' } : { open: 'Chat with us', close: 'Close the chat' };
  const side = set.position === 'left' ? 'left' : 'right';
  const host = document.createElement('div');
  host.id = 'feige-chat';
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial }
    button { position: fixed; ${side}: 20px; bottom: 20px; height: 56px; min-width: 56px; padding: 0 20px; border: 0; border-radius: 28px; background: #${colour}; color: #fff;
      font: 600 15px/1 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; box-shadow: 0 6px 24px rgb(0 0 0 / .25); cursor: pointer; z-index: 2147483000; display: flex; align-items: center; gap: 10px }
    button:focus-visible { outline: 3px solid #fff; outline-offset: -6px }
    svg { width: 22px; height: 22px }
    iframe { position: fixed; ${side}: 20px; bottom: 88px; width: 380px; height: min(620px, calc(100vh - 110px)); border: 0; border-radius: 16px; box-shadow: 0 12px 48px rgb(0 0 0 / .3); background: #fff; z-index: 2147483000 }
    iframe[hidden] { display: none }
    @media (max-width: 480px) { iframe { inset: 0 0 80px 0; width: 100%; height: auto; border-radius: 0 } }
    @media (prefers-reduced-motion: no-preference) { button { transition: transform .15s } button:hover { transform: translateY(-2px) } }`);
  root.adoptedStyleSheets = [sheet];
  const button = document.createElement('button');
  button.type = 'button';
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('fill', 'currentColor');
  path.setAttribute('d', 'M4 5a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-6l-5 5v-5H6a2 2 0 0 1-2-2z');
  svg.append(path);
  const text = document.createElement('span');
  text.textContent = words.open;
  button.append(svg, text);
  button.setAttribute('aria-expanded', 'false');
  root.append(button);
  let frame = null;
  const token = async () => {
    const callback = set.tokenCallback && window[set.tokenCallback];
    return typeof callback === 'function' ? callback() : set.token || '';
  };
  addEventListener('message', async (m) => {
    if (!frame || m.source !== frame.contentWindow || m.origin !== base || !m.data || m.data.type !== 'feige:need-token') return;
    frame.contentWindow.postMessage({ type: 'feige:token', token: await token() }, base);
  });
  const toggle = () => {
    if (!frame) {
      const url = new URL('/chat', base);
      for (const [key, value] of [['shop', set.shop], ['lang', lang], ['color', colour], ['title', set.title]]) if (value) url.searchParams.set(key, value);
      frame = document.createElement('iframe');
      frame.title = words.open;
      frame.allow = 'clipboard-write';
      frame.src = url.href;
      frame.hidden = true;
      root.append(frame);
    }
    frame.hidden = !frame.hidden;
    button.setAttribute('aria-expanded', String(!frame.hidden));
    text.textContent = frame.hidden ? words.open : words.close;
    if (!frame.hidden) frame.focus();
  };
  button.onclick = toggle;
  root.addEventListener('keydown', (e) => { if (e.key === 'Escape' && frame && !frame.hidden) { toggle(); button.focus(); } });
  (document.body || document.documentElement).append(host);
})();
