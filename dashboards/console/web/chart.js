// Figures, bars, and curves.
import { h, icon } from './dom.js';
import { w, say, show, colour, word, exact, known, instant } from './words.js';

const hues = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6'];
// hue of curve number i: six of the theme, then ones in between.
const hueOf = (i) => (i < hues.length ? css(hues[i]) : `hsl(${(i * 47) % 360} 52% 52%)`);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Figure is one number.
export class Figure {
  constructor(panel) {
    this.panel = panel;
    this.number = h('b', { class: 'number' }, '…');
    this.element = h('div', { class: 'figure' }, this.number);
  }

  update(data) {
    const column = this.panel.columns[0];
    const v = data.rows.length ? data.rows[0][data.columns.indexOf(column.name)] : null;
    this.number.textContent = show(column, v, () => '');
    this.element.dataset.colour = colour(column, v);
    this.element.toggleAttribute('data-long', this.number.textContent.length > 7);
  }
}

// Bars are a label and a number a row: a table whose rows have a bar.
export class Bars {
  constructor(panel) {
    this.panel = panel;
    this.body = h('tbody');
    this.none = h('p', { class: 'none' });
    this.table = h('table', { class: 'bars' }, h('caption', { class: 'unseen' }, say(panel.title)), this.body);
    this.element = h('div', { class: 'rows' }, this.table, this.none);
  }

  update(data) {
    const [label, number] = this.panel.columns.map((c) => ({ ...c, at: data.columns.indexOf(c.name) }));
    const most = Math.max(...data.rows.map((r) => r[number.at]), 1);
    const sum = data.rows.reduce((n, r) => n + r[number.at], 0);
    this.body.replaceChildren(...data.rows.map((r) => {
      const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
      bar.style.width = `${(100 * r[number.at] / most).toFixed(2)}%`;
      let text = show(label, r[label.at], () => '');
      if (label.name === 'wait') text = text.replace(/^\d /, '').replace('unanswered', w.unanswered);
      return h('tr', {}, h('th', { scope: 'row' }, text), h('td', { class: 'track' }, bar), h('td', { class: 'number' }, show(number, r[number.at], () => ''), sum ? h('small', {}, ` ${Math.round(100 * r[number.at] / sum)}%`) : ''));
    }));
    this.table.hidden = !data.rows.length;
    this.none.textContent = data.rows.length ? '' : w.none;
  }
}

// Series are curves over time.
export class Series {
  constructor(panel) {
    Object.assign(this, { panel, plot: null, data: null, asTable: false });
    this.canvas = h('div', { class: 'plot', role: 'img' });
    this.legend = h('ul', { class: 'legend' });
    this.none = h('p', { class: 'none' });
    this.body = h('div', { class: 'scroller', hidden: true, tabindex: '0', role: 'region', 'aria-label': say(panel.title) });
    this.toggle = h('button', { type: 'button', class: 'tool', title: w.asTable, 'aria-label': `${w.asTable}: ${say(panel.title)}`, 'aria-pressed': 'false', onclick: () => this.turn() }, icon('table'));
    this.tools = h('div', { class: 'tools' }, this.toggle);
    this.element = h('div', { class: 'curves' }, this.legend, this.canvas, this.none, this.body);
    new ResizeObserver(() => this.size()).observe(this.canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
    addEventListener('feige-theme', () => this.draw());
  }

  turn() {
    this.asTable = !this.asTable;
    this.toggle.setAttribute('aria-pressed', String(this.asTable));
    this.draw();
  }

  // curves turns rows into one list of times and a list of values for each curve.
  curves(data) {
    const time = data.columns.indexOf('time');
    const others = data.columns.map((name, at) => ({ name, at })).filter((c) => c.at !== time);
    const labelled = others.length === 2 && data.rows.some((r) => typeof r[others[0].at] === 'string');
    const columns = new Map(this.panel.columns.map((c) => [c.name, c]));
    const points = new Map(); // curve -> time -> value
    const meta = new Map();
    for (const r of data.rows) {
      const cells = labelled ? [[String(r[others[0].at]), r[others[1].at], columns.get(others[1].name) || {}]] : others.map((c) => [c.name, r[c.at], columns.get(c.name) || { name: c.name }]);
      for (const [key, value, column] of cells) {
        if (!points.has(key)) { points.set(key, new Map()); meta.set(key, { column, title: labelled ? word(key) : say(column.title) || key }); }
        points.get(key).set(r[time], value);
      }
    }
    const times = new Set(data.rows.map((r) => r[time]));
    const counted = [...meta.values()].every((m) => m.column.unit === 'count');
    if (counted && times.size) { // no row is a count of 0
      const step = data.stepS * 1e6;
      const first = [...times][0];
      for (let t = first - Math.floor((first - data.fromUs) / step) * step; t <= data.toUs && times.size < 2000; t += step) times.add(t);
    }
    const xs = [...times].sort((a, b) => a - b);
    return { xs, names: [...points.keys()].map((key) => ({ key, ...meta.get(key), ys: xs.map((t) => points.get(key).get(t) ?? (counted ? 0 : null)) })) };
  }

  update(data) { this.data = data; this.draw(); }

  draw() {
    if (!this.data) return;
    const { xs, names } = this.curves(this.data);
    this.plot?.destroy();
    this.plot = null;
    const empty = !xs.length;
    this.none.textContent = empty ? w.none : '';
    this.canvas.hidden = empty || this.asTable;
    this.legend.hidden = empty || this.asTable || names.length < 2;
    this.body.hidden = empty || !this.asTable;
    if (empty) return;
    this.legend.replaceChildren(...names.map((n, i) => {
      const dot = h('i');
      dot.style.background = hueOf(i);
      return h('li', {}, dot, n.title);
    }));
    this.canvas.setAttribute('aria-label', `${say(this.panel.title)}. ${names.map((n) => n.title).join(', ')}. ${w.asTable}`);
    if (this.asTable) {
      this.body.replaceChildren(h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, w.time), ...names.map((n) => h('th', { scope: 'col', class: 'number' }, n.title)))),
        h('tbody', {}, ...xs.map((t, i) => h('tr', {}, h('td', { class: 'time' }, exact(t)), ...names.map((n) => h('td', { class: 'number' }, show(n.column, n.ys[i], () => ''))))))));
      return;
    }
    const soft = css('--soft');
    const line = css('--line');
    const unit = names[0].column;
    const tip = h('div', { class: 'tip', hidden: true });
    const options = {
      width: Math.max(this.canvas.clientWidth, 200), height: 220, legend: { show: false }, cursor: { y: false, points: { size: 7 } }, padding: [10, 10, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), known.timeZone),
      scales: { x: { range: () => [Math.min(this.data.fromUs, xs[0]) / 1e6, Math.max(this.data.toUs, xs[xs.length - 1]) / 1e6] }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high || 1) * 1.08] } },
      axes: [{ stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line }, values: (_, ticks) => ticks.map((t) => instant(t * 1e6).slice(ticks.length > 1 && ticks[1] - ticks[0] >= 86400 ? 0 : -5).split(' ')[0]) },
        { stroke: soft, size: 62, grid: { stroke: line, width: 1 }, ticks: { show: false }, values: (_, ticks) => ticks.map((v) => show(unit, v, () => '')) }],
      series: [{}, ...names.map((n, i) => ({ label: n.title, stroke: hueOf(i), fill: names.length < 4 ? `color-mix(in srgb, ${hueOf(i)} 12%, transparent)` : undefined, width: 2, points: { show: xs.length < 40, size: 5 } }))],
      hooks: { setCursor: [(u) => this.hover(u, tip, xs, names)] },
    };
    this.plot = new uPlot(options, [xs.map((t) => t / 1e6), ...names.map((n) => n.ys)], this.canvas);
    this.plot.over.append(tip);
  }

  hover(u, tip, xs, names) {
    const i = u.cursor.idx;
    tip.hidden = i === null || i === undefined || u.cursor.left < 0;
    if (tip.hidden) return;
    tip.replaceChildren(h('b', {}, exact(xs[i])), ...names.map((n) => h('div', {}, `${n.title} ${show(n.column, n.ys[i], () => '')}`)));
    const left = u.valToPos(xs[i] / 1e6, 'x');
    tip.style.left = `${left > u.over.clientWidth / 2 ? left - tip.offsetWidth - 12 : left + 12}px`;
  }

  size() {
    if (this.plot && !this.canvas.hidden && this.canvas.clientWidth) this.plot.setSize({ width: this.canvas.clientWidth, height: 220 });
  }
}
