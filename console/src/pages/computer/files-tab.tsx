import { type ReactNode, useEffect, useRef, useState } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import { formatBytes } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { Icon } from "../../ui/icon.tsx";
import { Empty, Time } from "../../ui/pieces.tsx";
import { showToast } from "../../ui/toast.tsx";
import { useObstacle } from "../me.tsx";
import { downloadBlob } from "../download.ts";
import { type FileEntry, FileSession, fileSizeBytesMax } from "./file-session.ts";

type Folder = { readonly path: string; readonly entries: readonly FileEntry[] };

function join(folder: string, name: string): string {
  return folder.endsWith("/") ? `${folder}${name}` : `${folder}/${name}`;
}

function parentOf(path: string): string {
  return path.replace(/\/[^/]*\/?$/, "") || "/";
}

/** A session of files, opened when it is wanted and closed with the page; and the folder it is in. */
function useFiles(computerId: string) {
  const session = useRef<FileSession | null>(null);
  const [folder, setFolder] = useState<Folder | null>(null);
  const [busy, setBusy] = useState<string | null>(null);
  useEffect(() => () => session.current?.close(), []);
  const run = async (what: string, act: (open: FileSession) => Promise<void>): Promise<void> => {
    setBusy(what);
    try {
      if (session.current === null) {
        session.current = new FileSession(computerId);
        await session.current.opened();
      }
      await act(session.current);
    } catch (error) {
      showToast({ kind: "failed", text: (error as Error).message });
      session.current?.close();
      session.current = null;
    } finally {
      setBusy(null);
    }
  };
  const go = (path: string): Promise<void> =>
    run(text.files.connecting, async (open) => setFolder({ path, entries: await open.list(path) }));
  const fetchFile = (path: string, name: string): Promise<void> =>
    run(text.files.busy(name), async (open) => {
      downloadBlob(name, await open.get(path));
      showToast({ kind: "done", text: text.files.fetched(name) });
    });
  const putFile = (path: string, file: File): Promise<void> =>
    run(text.files.busy(file.name), async (open) => {
      const target = join(path, file.name);
      await open.put(target, file);
      showToast({ kind: "done", text: text.files.stored(target) });
      setFolder({ path, entries: await open.list(path) });
    });
  return { folder, busy, go, fetchFile, putFile };
}

/** Folders and files of the computer. */
export function FilesTab({ computer }: { readonly computer: ComputerResource }): ReactNode {
  const obstacle = useObstacle("operator");
  const { folder, busy, go, fetchFile, putFile } = useFiles(computer.id);
  if (computer.environment === null) {
    return <Empty icon="computer" title={text.files.notConnected} />;
  }
  return (
    <section className="card">
      <p className="muted">{text.files.lead}</p>
      {folder === null ? (
        <div>
          <button
            type="button"
            className="button primary"
            disabled={obstacle !== null || busy !== null}
            title={obstacle ?? undefined}
            onClick={() => void go("/")}
          >
            {text.files.open}
          </button>
        </div>
      ) : (
        <>
          <FolderHead key={folder.path} {...{ folder, go, putFile }} isBusy={busy !== null} />
          <Entries folder={folder} isBusy={busy !== null} {...{ go, fetchFile }} />
        </>
      )}
      <p role="status" className="muted files-state">
        {busy ?? ""}
      </p>
    </section>
  );
}

function FolderHead(props: {
  readonly folder: Folder;
  readonly isBusy: boolean;
  readonly go: (path: string) => Promise<void>;
  readonly putFile: (path: string, file: File) => Promise<void>;
}): ReactNode {
  const { folder, isBusy, go, putFile } = props;
  const [path, setPath] = useState(folder.path);
  const input = useRef<HTMLInputElement>(null);
  return (
    <form
      className="files-head"
      onSubmit={(event) => {
        event.preventDefault();
        void go(path);
      }}
    >
      <button
        type="button"
        className="button"
        disabled={isBusy || folder.path === "/"}
        onClick={() => void go(parentOf(folder.path))}
      >
        {text.files.up}
      </button>
      <input
        aria-label={text.files.path}
        className="mono"
        value={path}
        spellCheck={false}
        onChange={(event) => setPath(event.target.value)}
      />
      <button type="submit" className="button" disabled={isBusy}>
        {text.files.go}
      </button>
      <button type="button" className="button" disabled={isBusy} onClick={() => input.current?.click()}>
        {text.files.put}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={text.files.put}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file !== undefined && file.size > fileSizeBytesMax) {
            showToast({ kind: "failed", text: text.files.tooLarge(formatBytes(fileSizeBytesMax)) });
          } else if (file !== undefined) {
            void putFile(folder.path, file);
          }
          event.target.value = "";
        }}
      />
    </form>
  );
}

function Entries(props: {
  readonly folder: Folder;
  readonly isBusy: boolean;
  readonly go: (path: string) => Promise<void>;
  readonly fetchFile: (path: string, name: string) => Promise<void>;
}): ReactNode {
  const { folder, isBusy, go, fetchFile } = props;
  const sorted = folder.entries.toSorted(
    (a, b) => Number(b.kind === "folder") - Number(a.kind === "folder") || a.name.localeCompare(b.name),
  );
  if (sorted.length === 0) {
    return <p className="muted">{text.files.empty}</p>;
  }
  return (
    <table className="table" aria-label={text.files.list}>
      <thead>
        <tr>
          <th scope="col">{text.files.name}</th>
          <th scope="col">{text.files.mode}</th>
          <th scope="col" className="number">
            {text.files.size}
          </th>
          <th scope="col">{text.files.changed}</th>
        </tr>
      </thead>
      <tbody>
        {sorted.map(({ name, kind, sizeBytes, mode, modifiedAtMs }) => {
          const path = join(folder.path, name);
          const isLarge = kind === "file" && sizeBytes > fileSizeBytesMax;
          return (
            <tr key={name}>
              <th scope="row">
                <button
                  type="button"
                  className="link"
                  disabled={isBusy || kind === "other" || isLarge}
                  title={isLarge ? text.files.tooLarge(formatBytes(fileSizeBytesMax)) : undefined}
                  onClick={() => void (kind === "file" ? fetchFile(path, name) : go(path))}
                >
                  <Icon name={kind === "file" ? "audit" : "folder"} /> {name}
                </button>
              </th>
              <td className="mono">{(mode & 0o7777).toString(8).padStart(4, "0")}</td>
              <td className="number">{kind === "file" ? formatBytes(sizeBytes) : ""}</td>
              <td>
                <Time at={modifiedAtMs} />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
