import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { text } from "../text/text.ts";
import { Empty } from "../ui/pieces.tsx";

export function NotFound(): ReactNode {
  return (
    <main className="page">
      <Empty icon="search" title={text.common.noSuchPage}>
        <Link to="/">{text.common.toComputers}</Link>
      </Empty>
    </main>
  );
}
