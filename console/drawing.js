// Elements from plain values. Text is only ever set as text, so nothing that the service repeats is read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** `make("p", { id: "x", onclick: f }, "text", element)`; null children and attributes are left out. */
export function make(tag, attributes = {}, ...children) {
    return filled(document.createElement(tag), attributes, children);
}

export function drawn(tag, attributes, ...children) {
    return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else if (value === true) element.setAttribute(name, "");
        else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
}

export const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

export const labelled = (text, control) => make("label", {}, make("span", {}, text), control);

export function choice(options, attributes = {}) {
    const entries = options.map(([value, text]) => make("option", { value }, text));
    return make("select", attributes, ...entries);
}

export function table(head, rows) {
    const cells = (tag, values, extra) => values.map((value) => make(tag, extra, value));
    return make("table", {},
        make("thead", {}, make("tr", {}, ...cells("th", head, { scope: "col" }))),
        make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells("td", row, {})))));
}

export const shortDate = (text) => (text ? text.slice(0, 16).replace("T", " ") : "never");

/** A score against its threshold, on the calibrated scale from 0 to 1. */
export function scale(score, threshold) {
    const x = (value) => 10 + 380 * Math.max(0, Math.min(1, value));
    const said = `Score ${score.toFixed(2)} of 1, threshold ${threshold === null ? "not known" : threshold.toFixed(2)}`;
    const mark = threshold === null ? [] : [
        drawn("rect", { x: x(threshold), y: 22, width: x(1) - x(threshold), height: 12, class: "accepting" }),
        drawn("line", { x1: x(threshold), x2: x(threshold), y1: 16, y2: 40, class: "threshold" }),
        drawn("text", { x: x(threshold), y: 54, "text-anchor": "middle" }, `threshold ${threshold.toFixed(2)}`),
    ];
    return drawn("svg", { viewBox: "0 0 400 60", role: "img", "aria-label": said, class: "scale" },
        drawn("rect", { x: 10, y: 22, width: 380, height: 12, class: "track" }), ...mark,
        drawn("circle", { cx: x(score), cy: 28, r: 7, class: "score" }),
        drawn("text", { x: x(score), y: 12, "text-anchor": score > 0.9 ? "end" : score < 0.1 ? "start" : "middle" }, `score ${score.toFixed(2)}`));
}

const TOLD = [
    ["decidedBy", "Decided by", (value) => value],
    ["falseMatchRate", "Strangers who reach this score", (value) => `${(100 * value).toFixed(2)} %`],
    ["speechSeconds", "Speech", (value) => `${value.toFixed(1)} s`],
    ["snrDb", "Speech over noise", (value) => `${value.toFixed(0)} dB`],
    ["levelDbfs", "Level", (value) => `${value.toFixed(0)} dBFS`],
    ["bandwidthHz", "Bandwidth", (value) => `${value} Hz`],
    ["channel", "Channel", (value) => value],
    ["model", "Model", (value) => value],
];

/** What `details` of an answer says, and its advice; null where the answer has none. */
export function explanation(details) {
    if (!details) return null;
    const facts = TOLD.filter(([name]) => details[name] !== null && details[name] !== undefined)
        .flatMap(([name, title, written]) => [make("dt", {}, title), make("dd", {}, String(written(details[name])))]);
    if (details.phrase) {
        const heard = !details.phrase.recognised ? "not recognised" : details.phrase.complete ? "complete" : "cut short";
        facts.push(make("dt", {}, "Phrase"), make("dd", {}, heard));
    }
    const advice = (details.advice ?? []).map(({ text }) => make("li", {}, text));
    return make("div", { class: "explanation" }, make("dl", {}, ...facts),
        advice.length ? make("ul", { class: "advice", "aria-label": "What would help" }, ...advice) : null);
}
