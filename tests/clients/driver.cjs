// Drives Microsoft's Speech SDK, unmodified: one JSON line in is one call of the SDK, one JSON line out is its outcome.
//
//   node driver.cjs 1.20 <service URL> <subscription key> [host|endpoint]
//
// An outcome has what an app can see: the reason by name, the fields of the result, or the message of what was thrown.
"use strict";

const readline = require("node:readline");
const { readFileSync } = require("node:fs");

const [version, url, key, how = "host"] = process.argv.slice(2);
const sdk = require(`speech-sdk-${version}`);
const usesCallbacks = version === "1.17";

// The lines that a migration changes.
function speechConfig() {
    if (version === "1.17") {
        const config = sdk.SpeechConfig.fromSubscription(key, "westus");
        const template = `${url}/speaker/{mode}/v2.0/{dependency}`;
        config.setProperty(sdk.PropertyId.SpeechServiceConnection_Host, template);
        return config;
    }
    return how === "endpoint"
        ? sdk.SpeechConfig.fromEndpoint(new URL(url), key)
        : sdk.SpeechConfig.fromHost(new URL(url), key);
}

function call(target, method, ...args) {
    if (!usesCallbacks) return target[method](...args);
    return new Promise((resolve, reject) => target[method](...args, resolve, reject));
}

const profile = ([id, kind]) => new sdk.VoiceProfile(id, sdk.VoiceProfileType[kind]);
const audio = (file) => sdk.AudioConfig.fromWavFileInput(readFileSync(file));
const client = () => new sdk.VoiceProfileClient(speechConfig());
const recognizer = (file) => new sdk.SpeakerRecognizer(speechConfig(), audio(file));

const calls = {
    create: async (kind, locale) => ({
        profileId: (await call(client(), "createProfileAsync", sdk.VoiceProfileType[kind], locale)).profileId,
    }),
    list: async (kind) => ({
        profiles: (await call(client(), "getAllProfilesAsync", sdk.VoiceProfileType[kind])).map(enrollment),
    }),
    get: async (one) => enrollment(await call(client(), "retrieveEnrollmentResultAsync", profile(one))),
    enroll: async (one, file) => enrollment(await call(client(), "enrollProfileAsync", profile(one), audio(file))),
    phrases: async (kind, locale) => {
        const found = usesCallbacks
            ? await call(client(), "getAuthorizationPhrasesAsync", locale)
            : await call(client(), "getActivationPhrasesAsync", sdk.VoiceProfileType[kind], locale);
        return { ...result(found), phrases: found.phrases };
    },
    verify: async (one, file) => {
        const model = sdk.SpeakerVerificationModel.fromProfile(profile(one));
        return recognition(await call(recognizer(file), "recognizeOnceAsync", model));
    },
    identify: async (many, file) => {
        const model = sdk.SpeakerIdentificationModel.fromProfiles(many.map(profile));
        return recognition(await call(recognizer(file), "recognizeOnceAsync", model));
    },
    reset: async (one) => result(await call(client(), "resetProfileAsync", profile(one))),
    delete: async (one) => result(await call(client(), "deleteProfileAsync", profile(one))),
};

const result = (one) => ({ reason: sdk.ResultReason[one.reason], errorDetails: one.errorDetails });
const enrollment = (one) => ({ ...result(one), details: one.enrollmentResultDetails });
const recognition = (one) => ({ ...result(one), profileId: one.profileId, score: one.score });

async function answer(line) {
    const [name, ...args] = JSON.parse(line);
    try {
        return await calls[name](...args);
    } catch (thrown) {
        return { thrown: thrown instanceof Error ? thrown.message : String(thrown) };
    }
}

(async () => {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        console.log(JSON.stringify(await answer(line)));
    }
})();
