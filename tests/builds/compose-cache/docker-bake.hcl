variable "REGISTRY" {
  default = "localhost:3242"
}

variable "TAG" {
  default = "dev"
}

target "default" {
  context = "web"
  tags    = ["${REGISTRY}/restow/web:${TAG}"]
}
