"""Settings of the service, read from the environment."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env")

    qdrant_url: str = "http://localhost:6333"
    collection: str = "documents"
    embedding_model: str = "sentence-transformers/all-MiniLM-L6-v2"
    results: int = 5


settings = Settings()
