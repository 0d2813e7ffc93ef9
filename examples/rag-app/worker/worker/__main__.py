"""Sends each text file in the watched folder to the api, again whenever it changes."""

import time
from pathlib import Path

import httpx
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    api_url: str = "http://localhost:8000"
    watch_dir: Path = Path("documents")
    interval: float = 10.0


def passages(text: str) -> list[str]:
    return [block.strip() for block in text.split("\n\n") if block.strip()]


def main() -> None:
    settings = Settings()
    sent: dict[Path, float] = {}
    with httpx.Client(base_url=settings.api_url, timeout=60) as api:
        while True:
            for path in sorted(settings.watch_dir.rglob("*.txt")):
                changed = path.stat().st_mtime
                if sent.get(path) == changed:
                    continue
                document = {"source": path.name, "passages": passages(path.read_text())}
                try:
                    api.post("/documents", json=document).raise_for_status()
                except httpx.HTTPError as error:
                    print(f"{path}: {error}; trying again later")
                else:
                    sent[path] = changed
            time.sleep(settings.interval)


if __name__ == "__main__":
    main()
