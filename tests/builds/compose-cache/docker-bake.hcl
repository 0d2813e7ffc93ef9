variable "REGISTRY" {
  default = "localhost:3242"
}

variable "TAG" {
  default = "dev"
}

target "default" {
  context = "web"
  network = "none"
  tags    = ["${REGISTRY}/restow/web:${TAG}"]
}
