import jinja2

print(jinja2.Template("{{ n }} lines").render(n=3))
