import { type ReactNode, useId } from "react";
import { text } from "../../text/text.ts";
import { Field } from "../../ui/pieces.tsx";
import type { JobTimes, Repetition } from "./job-times.ts";

const words = text.times;
const windowDays = ["daily", "mon-fri", "sat-sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

type TimesProps = {
  readonly times: JobTimes;
  readonly onChange: (times: JobTimes) => void;
};

/** When a job begins and how often, when it may work, and on how many computers at a time. */
export function JobTimesFields({ times, onChange }: TimesProps): ReactNode {
  const set = (change: Partial<JobTimes>): void => onChange({ ...times, ...change });
  return (
    <>
      <fieldset className="choices-row">
        <legend>{words.begins}</legend>
        {(["now", "later"] as const).map((begins) => (
          <label key={begins} className="choice">
            <input
              type="radio"
              name="begins"
              checked={times.begins === begins}
              onChange={() => set({ begins })}
            />
            <span>{words.beginsAt[begins]}</span>
          </label>
        ))}
        <label className="choice">
          <input
            type="checkbox"
            checked={times.hasWindow}
            onChange={(event) => set({ hasWindow: event.target.checked })}
          />
          <span>{words.window}</span>
        </label>
      </fieldset>
      {times.begins === "later" ? <LaterFields times={times} onChange={onChange} /> : null}
      {times.hasWindow ? <WindowFields times={times} onChange={onChange} /> : null}
      {times.begins === "later" || times.hasWindow ? (
        <TimeZoneField times={times} onChange={onChange} />
      ) : null}
      <Field label={words.concurrency} hint={words.concurrencyHint}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            type="number"
            min={1}
            max={10_000}
            value={times.concurrency}
            onChange={(event) => set({ concurrency: event.target.value })}
          />
        )}
      </Field>
    </>
  );
}

function LaterFields({ times, onChange }: TimesProps): ReactNode {
  const set = (change: Partial<JobTimes>): void => onChange({ ...times, ...change });
  return (
    <div className="field-row">
      <Field label={words.at}>
        {(id) => (
          <input
            id={id}
            type="datetime-local"
            required
            value={times.at}
            onChange={(event) => set({ at: event.target.value })}
          />
        )}
      </Field>
      <Field label={words.repeat}>
        {(id) => (
          <select
            id={id}
            value={times.repetition}
            onChange={(event) => set({ repetition: event.target.value as Repetition })}
          >
            {(Object.keys(words.repetitions) as Repetition[]).map((repetition) => (
              <option key={repetition} value={repetition}>
                {words.repetitions[repetition]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {times.repetition === "hours" ? (
        <Field label={words.hours}>
          {(id) => (
            <input
              id={id}
              type="number"
              required
              min={1}
              max={8784}
              value={times.everyHours}
              onChange={(event) => set({ everyHours: event.target.valueAsNumber })}
            />
          )}
        </Field>
      ) : null}
      {times.repetition === "pattern" ? (
        <Field label={words.pattern} hint={words.patternHint}>
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              required
              className="mono"
              value={times.pattern}
              onChange={(event) => set({ pattern: event.target.value })}
            />
          )}
        </Field>
      ) : null}
    </div>
  );
}

function WindowFields({ times, onChange }: TimesProps): ReactNode {
  const set = (change: Partial<JobTimes>): void => onChange({ ...times, ...change });
  return (
    <div className="field-row">
      <Field label={words.windowDays} hint={words.windowHint}>
        {(id, hint) => (
          <select
            id={id}
            aria-describedby={hint}
            value={times.windowDays}
            onChange={(event) => set({ windowDays: event.target.value })}
          >
            {windowDays.map((days) => (
              <option key={days} value={days}>
                {words.days[days]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {(["windowFrom", "windowTo"] as const).map((key) => (
        <Field key={key} label={words[key]}>
          {(id) => (
            <input
              id={id}
              type="time"
              required
              value={times[key]}
              onChange={(event) => set({ [key]: event.target.value })}
            />
          )}
        </Field>
      ))}
    </div>
  );
}

function TimeZoneField({ times, onChange }: TimesProps): ReactNode {
  const listId = useId();
  return (
    <Field label={words.timeZone} hint={words.timeZoneHint}>
      {(id, hint) => (
        <>
          <input
            id={id}
            aria-describedby={hint}
            list={listId}
            required
            value={times.timeZone}
            onChange={(event) => onChange({ ...times, timeZone: event.target.value })}
          />
          <datalist id={listId}>
            {["UTC", ...Intl.supportedValuesOf("timeZone")].map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
