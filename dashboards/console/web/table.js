// A table of rows that can be sorted, filtered, shown whole, and saved.
import { h, s, icon } from './dom.js';
import { w, say, show, colour, exact, ofIndicator, lang } from './words.js';

const atFirst = 10;

export class Table {
  constructor(panel, go, oneShop) {
    Object.assign(this, { panel, go, oneShop, sort: null, filter: '', whole: false, data: null });
    this.count = h('span', { class: 'count', role: 'status' });
    this.find = h('input', { type: 'search', class: 'find', placeholder: w.filter, 'aria-label': `${w.filter}: ${say(panel.title)}`, oninput: () => { this.filter = this.find.value; this.draw(); } });
    this.save = h('button', { type: 'button', class: 'tool', title: w.csv, 'aria-label': `${w.csv}: ${say(panel.title)}`, onclick: () => this.download() }, icon('save'));
    this.tools = h('div', { class: 'tools' }, this.count, this.find, this.save);
    this.head = h('tr');
    this.body = h('tbody');
    this.more = h('button', { type: 'button', class: 'more', onclick: () => { this.whole = !this.whole; this.draw(); } });
    this.none = h('p', { class: 'none' });
    this.scroller = h('div', { class: 'scroller', tabindex: '0', role: 'region', 'aria-label': say(panel.title) },
      h('table', {}, h('caption', { class: 'unseen' }, `${say(panel.title)}. ${say(panel.about)}`), h('thead', {}, this.head), this.body));
    this.element = h('div', { class: 'rows' }, this.scroller, this.none, this.more);
  }

  // columns that the answer has, in the order of the definition.
  columnsOf(data) {
    const at = new Map(data.columns.map((name, i) => [name, i]));
    const columns = this.panel.columns.filter((c) => at.has(c.name) && !(c.name === 'shop_id' && this.oneShop)).map((c) => ({ ...c, at: at.get(c.name) }));
    if (!(at.has('low') && at.has('high') && at.has('expected'))) return columns;
    const range = { name: 'range', title: { zh: w.range, en: w.range }, range: true, at: at.get('expected') };
    return columns.flatMap((c) => (c.name === 'low' ? [range] : c.name === 'high' ? [] : [c]));
  }

  update(data) {
    this.data = data;
    this.columns = this.columnsOf(data);
    this.at = new Map(data.columns.map((name, i) => [name, i]));
    this.draw();
  }

  value(row, name) { const i = this.at.get(name); return i === undefined ? undefined : row[i]; }

  text(column, row) { return column.range ? '' : show(column, row[column.at], (name) => this.value(row, name)); }

  rows() {
    const wanted = this.filter.trim().toLowerCase();
    const rows = wanted ? this.data.rows.filter((row) => this.columns.some((c) => this.text(c, row).toLowerCase().includes(wanted) || String(row[c.at] ?? '').toLowerCase().includes(wanted))) : [...this.data.rows];
    if (this.sort) {
      const column = this.columns.find((c) => c.name === this.sort.name);
      const order = new Intl.Collator(lang, { numeric: true });
      if (column) {
        rows.sort((a, b) => {
          const [x, y] = [a[column.at], b[column.at]];
          if (x === null || y === null) return (x === null) - (y === null); // what is missing is last, either way
          const by = typeof x === 'string' ? order.compare(x, y) : x - y;
          return this.sort.down ? -by : by;
        });
      }
    }
    return rows;
  }

  draw() {
    if (!this.data) return;
    this.head.replaceChildren(...this.columns.map((c) => {
      const sorted = this.sort && this.sort.name === c.name;
      const button = h('button', { type: 'button', onclick: () => this.order(c.name) }, say(c.title), h('span', { class: 'arrow', 'aria-hidden': 'true' }, sorted ? (this.sort.down ? '↓' : '↑') : ''));
      button.dataset.column = c.name;
      return h('th', { scope: 'col', class: this.kind(c), 'aria-sort': sorted ? (this.sort.down ? 'descending' : 'ascending') : 'none' }, button);
    }));
    const rows = this.rows();
    const shown = this.whole ? rows : rows.slice(0, atFirst);
    this.body.replaceChildren(...shown.map((row) => h('tr', {}, ...this.columns.map((c) => this.cell(c, row)))));
    const all = this.data.rows.length;
    this.count.textContent = rows.length === all ? w.rows(all) : w.some(rows.length, all);
    this.none.textContent = rows.length ? '' : all ? w.noMatch : w.none;
    this.scroller.hidden = !rows.length;
    this.more.hidden = rows.length <= atFirst;
    this.more.textContent = this.whole ? w.fewer : w.all(rows.length);
    this.more.setAttribute('aria-expanded', String(this.whole));
    this.find.hidden = all <= 3 && !this.filter;
    this.save.hidden = !all;
  }

  order(name) {
    const now = this.sort && this.sort.name === name ? this.sort.down : undefined;
    this.sort = now === undefined ? { name, down: true } : now ? { name, down: false } : null;
    this.draw();
    this.head.querySelector(`[data-column="${CSS.escape(name)}"]`)?.focus();
  }

  kind(c) { return ['count', 'share', 'seconds', 'mixed'].includes(c.unit) ? 'number' : c.range ? 'range' : c.unit === 'instant' ? 'time' : c.unit === 'words' ? 'words' : ''; }

  cell(c, row) {
    if (c.range) return h('td', { class: 'range' }, this.range(row));
    const v = row[c.at];
    const text = this.text(c, row);
    const hue = colour(c, v);
    const place = this.place(c, row);
    const inner = place && v ? h('a', { href: place, onclick: (e) => this.go(e) }, text) : text;
    return h('td', { class: `${this.kind(c)}${hue ? ` is ${hue}` : ''}`, title: c.unit === 'instant' && v ? exact(v) : text.length > 24 ? text : undefined }, inner);
  }

  place(c, row) {
    const shop = this.value(row, 'shop_id');
    switch (c.links) {
      case 'shop': return `/console/shop?${new URLSearchParams({ shop: row[c.at] ?? '' })}`;
      case 'agents': return shop ? `/console/agents?${new URLSearchParams({ shop, agent: row[c.at] ?? '' })}` : '';
      case 'conversation': return shop && row[c.at] ? `/console/conversation?${new URLSearchParams({ shop, conversation: row[c.at] })}` : '';
    }
    return '';
  }

  // range draws what the forecast expects, its interval, and the standard.
  range(row) {
    const [low, high, expected, standard, name] = ['low', 'high', 'expected', 'standard', 'indicator'].map((n) => this.value(row, n));
    if (low === null || high === null) return '–';
    const [least, most] = [Math.min(low, standard, expected), Math.max(high, standard, expected)];
    const pad = (most - least) * 0.08 || Math.abs(most) * 0.1 || 1;
    const x = (v) => (120 * (v - least + pad) / (most - least + 2 * pad)).toFixed(1);
    const f = (v) => ofIndicator(name || '', v);
    const words = w.rangeOf(f(low), f(high), f(standard));
    return s('svg', { class: 'interval', viewBox: '0 0 120 18', role: 'img', 'aria-label': words }, s('title', {}, document.createTextNode(words)),
      s('line', { class: 'track', x1: 0, x2: 120, y1: 9, y2: 9 }), s('line', { class: 'span', x1: x(low), x2: x(high), y1: 9, y2: 9 }),
      s('line', { class: 'limit', x1: x(standard), x2: x(standard), y1: 1, y2: 17 }), s('circle', { class: 'point', cx: x(expected), cy: 9, r: 4 }));
  }

  download() {
    const columns = this.data.columns.map((name, at) => ({ name, at, unit: this.panel.columns.find((c) => c.name === name)?.unit }));
    const rows = this.rows().map((row) => columns.map((c) => (c.unit === 'instant' && row[c.at] ? exact(row[c.at]) : row[c.at])));
    save(`${this.panel.id}.csv`, csv([columns.map((c) => c.name), ...rows]));
  }
}

// csv by RFC 4180. A text that a spreadsheet would run as a formula gets an apostrophe before it.
export function csv(rows) {
  const cell = (v) => {
    if (v === null || v === undefined) return '';
    let text = String(v);
    if (typeof v === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

function save(name, text) {
  const url = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/csv;charset=utf-8' }));
  const a = h('a', { href: url, download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
