// Who spoke when in a recording: a strip of coloured turns for each speaker, and a list of buttons. Each plays its turn.

import { button, drawn, make } from "./drawing.js";

const COLOURS = 6; // voice-0 and so on in console.css

const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
const moment = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 23);
const plain = (name) => name.replaceAll(/[<>&\s]+/g, " ");

/** An answer of identifyTurns about `recording`, a Blob, as elements; `named` gives a speaker's name. `leave` stops the
 * sound and lets the recording go. */
export function timeline({ turns, speakers, audioLengthInSec }, recording, named) {
    const sound = make("audio", { controls: true, src: URL.createObjectURL(recording), "aria-label": "The recording" });
    const cues = turns.map(({ start, end, speaker }) => `\n${moment(start)} --> ${moment(end)}\n<v ${plain(named(speaker))}>${plain(named(speaker))}\n`);
    const file = URL.createObjectURL(new Blob(["WEBVTT\n", ...cues], { type: "text/vtt" }));
    const colour = new Map(speakers.map(({ speaker }, number) => [speaker, `voice voice-${number % COLOURS}`]));
    const play = ({ start, end }) => {
        sound.currentTime = start;
        sound.ontimeupdate = () => {
            if (sound.currentTime < end) return;
            sound.ontimeupdate = null;
            sound.pause();
        };
        sound.play().catch(() => {}); // a format that this browser cannot play: its controls show it
    };
    const strip = (speaker) => drawn("svg", { viewBox: `0 0 ${audioLengthInSec} 1`, preserveAspectRatio: "none", "aria-hidden": "true", class: "strip" },
        ...turns.filter((turn) => turn.speaker === speaker).map((turn) => drawn("rect",
            { x: turn.start, width: turn.end - turn.start, height: 1, class: colour.get(speaker), onclick: () => play(turn) })));
    const lane = ({ speaker, seconds }) => make("div", { class: "lane" },
        make("p", {}, make("span", { class: colour.get(speaker) }, "\u25a0"), ` ${named(speaker)}, ${seconds.toFixed(1)} s`), strip(speaker));
    const entry = (turn) => make("li", {}, button(
        `${clock(turn.start)} to ${clock(turn.end)} ${named(turn.speaker)}${turn.overlap ? ", with others" : ""}`, () => play(turn)));
    return {
        parts: [...speakers.map(lane), sound, make("p", {}, make("a", { href: file, download: "turns.vtt" }, "Download WebVTT")),
            make("ol", { class: "turns", "aria-label": "Turns: choose one to hear it" }, ...turns.map(entry))],
        leave() {
            sound.pause();
            [sound.src, file].forEach((address) => URL.revokeObjectURL(address));
        },
    };
}
