// The consumer's page.
import { Connection } from './connection.js';
import { avatar, composer, connectionNotice, standing, typingLine, View } from './messages.js';
import { forget, tokenFor } from './tokens.js';
import { errorText, label, languageLink, words } from './words.js';

const $ = (id) => document.getElementById(id);
label();
languageLink($('language'));
document.title = words.chatTitle;
$('title').textContent = words.chatTitle;
$('log').setAttribute('aria-label', words.chatTitle);
$('text').placeholder = words.placeholder;
$('text').setAttribute('aria-label', words.placeholder);
for (const [id, word] of [['send', words.send], ['attach', words.attach]]) { $(id).setAttribute('aria-label', word); $(id).title = word; }

const params = new URLSearchParams(location.search);
const colour = params.get('color');
if (colour && /^[0-9a-fA-F]{6}$/.test(colour)) document.documentElement.style.setProperty('--accent', `#${colour}`);
if (params.get('title')) $('title').textContent = params.get('title');
if (parent !== window) document.body.classList.add('framed');

async function start() {
  const signed = await tokenFor('chat', ['consumer']);
  const shop = signed.claims.shop || params.get('shop') || '';
  if (!shop) {
    $('connection').hidden = false;
    $('connection').textContent = words.needShop;
    return;
  }
  avatar($('shop-avatar'), shop);
  $('composer').hidden = false;
  let current = signed.token;
  const token = async () => {
    if (Date.now() > signed.claims.exp * 1000) ({ token: current } = await tokenFor('chat', ['consumer']));
    return current;
  };
  const connection = new Connection({ client: 'consumer-web', token, shop });
  const account = signed.claims.sub;
  let view = new View({ log: $('log'), connection, conversation: account, side: 'consumer', account, token });
  const types = typingLine($('typing'));
  let mode = '';
  const receive = (r) => {
    if (!r) return;
    mode = r.mode;
    $('reception').hidden = mode !== 'bot';
    $('reception').textContent = mode === 'bot' ? words.botNotice : '';
    $('status').textContent = mode === 'bot' ? words.botReceives : words.humanReceives;
  };
  const sanctioned = (s) => {
    const text = standing(s, 'consumer');
    $('sanction').textContent = text;
    $('sanction').hidden = !text;
    $('composer').classList.toggle('off', Boolean(text));
    $('text').disabled = Boolean(text);
    $('send').disabled = Boolean(text);
    $('attach').disabled = Boolean(text);
  };
  connectionNotice(connection, $('connection'), (frame) => {
    if (frame.code === 'unauthorized') { forget('chat'); setTimeout(() => location.reload(), 1500); }
  });
  $('status').textContent = words.connecting;
  let opened = false;
  connection.addEventListener('welcome', ({ detail: f }) => {
    receive(f.reception);
    sanctioned(f.sanction);
    if (!opened) { opened = true; view.history().then(() => view.seen()); }
  });
  connection.addEventListener('gap', () => {
    view = new View({ log: $('log'), connection, conversation: account, side: 'consumer', account, token });
    view.history();
  });
  connection.addEventListener('event', ({ detail: { event } }) => {
    view.add(event);
    types(false);
    if (event.conversationRated) $('rating').hidden = true;
    if (event.message && event.actor.role === 'ROLE_CONSUMER') $('rating').hidden = true;
    view.seen();
  });
  connection.addEventListener('reception', ({ detail: f }) => receive(f.reception));
  connection.addEventListener('sanction', ({ detail: f }) => sanctioned(f.sanction));
  connection.addEventListener('shield', ({ detail: f }) => view.shield(f.eventId, Boolean(f.on)));
  connection.addEventListener('typing', ({ detail: f }) => types(Boolean(f.on)));
  connection.addEventListener('askRating', () => askRating(connection));
  document.addEventListener('visibilitychange', () => view.seen());
  composer({ form: $('composer'), text: $('text'), file: $('file'), attach: $('attach'), view: () => view, typing: () => connection.write({ type: 'typing', on: true }) });
}

// askRating shows five stars, as a group of radio buttons.
function askRating(connection) {
  const at = $('rating');
  const form = document.createElement('form');
  const group = document.createElement('fieldset');
  const title = document.createElement('legend');
  title.textContent = words.rateTitle;
  const stars = document.createElement('div');
  stars.className = 'stars';
  const said = document.createElement('p');
  said.className = 'rate-label';
  said.setAttribute('aria-live', 'polite');
  const buttons = [];
  for (let n = 1; n <= 5; n++) {
    const star = document.createElement('label');
    star.className = 'star';
    const radio = document.createElement('input');
    radio.type = 'radio';
    radio.name = 'score';
    radio.value = String(n);
    radio.setAttribute('aria-label', `${n}: ${words.rateLabels[n - 1]}`);
    const glyph = document.createElement('span');
    glyph.textContent = '★';
    glyph.setAttribute('aria-hidden', 'true');
    radio.onchange = () => {
      said.textContent = words.rateLabels[n - 1];
      buttons.forEach((b, i) => b.classList.toggle('on', i < n));
      send.disabled = false;
    };
    star.append(radio, glyph);
    buttons.push(star);
    stars.append(star);
  }
  const send = document.createElement('button');
  send.className = 'small primary';
  send.textContent = words.submit;
  send.disabled = true;
  const later = document.createElement('button');
  later.type = 'button';
  later.className = 'small';
  later.textContent = words.later;
  later.onclick = () => { at.hidden = true; };
  const row = document.createElement('div');
  row.className = 'rate-buttons';
  row.append(later, send);
  group.append(title, stars, said, row);
  form.append(group);
  form.onsubmit = (e) => {
    e.preventDefault();
    const score = Number(new FormData(form).get('score'));
    send.disabled = true;
    const thanks = document.createElement('p');
    thanks.className = 'thanks';
    thanks.setAttribute('role', 'status');
    connection.request({ type: 'rate', score }).then(() => { thanks.textContent = words.rateThanks; }, (p) => { thanks.textContent = errorText(p.frame || {}); }).then(() => {
      at.replaceChildren(thanks);
      setTimeout(() => { at.hidden = true; }, 4000);
    });
  };
  at.replaceChildren(form);
  at.hidden = false;
  const log = $('log');
  log.scrollTop = log.scrollHeight;
}

start();
