"""The pages for people, gathered in `router`."""

from fastapi import APIRouter

from app.web.pages import invitation, learn, routes

router = APIRouter()
router.include_router(routes.router)
router.include_router(learn.router)
router.include_router(invitation.router)
