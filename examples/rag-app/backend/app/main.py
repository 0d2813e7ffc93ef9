"""Stores passages with their embeddings and finds those nearest to a question."""

from contextlib import asynccontextmanager
from uuid import NAMESPACE_URL, uuid5

from fastapi import FastAPI
from pydantic import BaseModel
from qdrant_client import AsyncQdrantClient
from qdrant_client.models import Distance, PointStruct, VectorParams
from sentence_transformers import SentenceTransformer

from app.settings import settings

model = SentenceTransformer(settings.embedding_model)
store = AsyncQdrantClient(url=settings.qdrant_url)


class Document(BaseModel):
    source: str
    passages: list[str]


class Question(BaseModel):
    text: str


@asynccontextmanager
async def lifespan(_: FastAPI):
    if not await store.collection_exists(settings.collection):
        size = model.get_sentence_embedding_dimension()
        await store.create_collection(
            settings.collection,
            vectors_config=VectorParams(size=size, distance=Distance.COSINE),
        )
    yield


app = FastAPI(title="rag-api", lifespan=lifespan)


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/documents")
async def add(document: Document) -> dict[str, int]:
    vectors = model.encode(document.passages)
    points = [
        PointStruct(
            id=str(uuid5(NAMESPACE_URL, f"{document.source}#{number}")),
            vector=vector.tolist(),
            payload={"source": document.source, "text": text},
        )
        for number, (text, vector) in enumerate(zip(document.passages, vectors))
    ]
    if points:
        await store.upsert(settings.collection, points)
    return {"stored": len(points)}


@app.post("/ask")
async def ask(question: Question) -> list[dict]:
    vector = model.encode(question.text).tolist()
    found = await store.query_points(settings.collection, query=vector, limit=settings.results)
    return [{"score": point.score, **point.payload} for point in found.points]
